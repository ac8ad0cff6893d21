"""Translation with trained models: loading, preparation for inference, export and ONNX."""
