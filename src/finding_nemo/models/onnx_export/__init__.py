"""Networks of torch as ONNX files."""
