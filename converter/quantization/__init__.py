"""A float TFLite model to a quantized one."""
