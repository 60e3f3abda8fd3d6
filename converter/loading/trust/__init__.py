"""Checks of model files: known parts, plain values, and code that needs trust."""
