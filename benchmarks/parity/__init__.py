"""How alike two models, or two devices, answer."""
