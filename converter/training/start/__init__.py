"""Networks that a training starts from."""
