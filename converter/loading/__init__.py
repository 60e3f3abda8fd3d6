"""Keras model files of every format to one flat Keras model of fixed shape."""
