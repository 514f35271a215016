"""ONNX models, written from the IR without torch."""
