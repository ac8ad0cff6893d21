"""Trained models as ONNX graphs: made by PyTorch's exporter, run by onnxruntime."""
