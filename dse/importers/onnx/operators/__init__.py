"""What each operator of ONNX becomes."""
