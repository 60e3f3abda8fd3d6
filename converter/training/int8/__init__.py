"""Training through the rounding of int8."""
