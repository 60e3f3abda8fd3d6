"""TFLite files: the operators are read, and drawn again as a Keras network."""
