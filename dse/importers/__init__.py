"""Networks from elsewhere, as the plain values of a conf/workload YAML and a report of coverage.

onnx and torch are imported when a file is read, never before.
"""
