"""Keras files, looked at without Keras and without running what is in them."""

from edgeseg.runtime.keras_files._info import keras_info, keras_text

__all__ = ["keras_info", "keras_text"]
