"""What Rockchip's toolkit is given of an ONNX file, and the program that drives it."""
