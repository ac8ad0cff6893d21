"""Trained models as ONNX graphs, exported with PyTorch and run with onnxruntime."""
