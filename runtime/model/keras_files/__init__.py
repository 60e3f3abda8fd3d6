"""Keras files, looked at without Keras and without running what is in them."""

from edgeseg.runtime.model.keras_files.info import keras_info, keras_text

__all__ = ["keras_info", "keras_text"]
