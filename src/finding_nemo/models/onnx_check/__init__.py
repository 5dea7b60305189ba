"""An ONNX file of a stranger, checked before a runtime opens it."""
