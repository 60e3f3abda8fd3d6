"""Keras networks, drawn, redrawn and folded."""
