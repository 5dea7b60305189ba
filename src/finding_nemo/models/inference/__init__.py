"""A bundle's network, run by ONNX Runtime or OpenVINO."""
