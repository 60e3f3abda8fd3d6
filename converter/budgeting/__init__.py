"""What quantization costs, layer by layer, and which operators to keep in float."""
