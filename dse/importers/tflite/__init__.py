"""LiteRT (TensorFlow Lite) files; the schema is that of the package tflite."""
