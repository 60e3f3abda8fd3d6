"""The cost of quantization by layer, and which operators stay in float for a budget."""
