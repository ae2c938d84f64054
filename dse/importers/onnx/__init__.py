"""ONNX files: read, walked node by node, and made layers."""
