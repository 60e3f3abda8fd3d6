"""Networks that another version of Keras wrote, or is to read."""
