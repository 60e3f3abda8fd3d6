"""File formats of Keras models: one file here is one format."""

from edgeseg.converter.loading.formats._base import Format, RawModel, refuse_options
from edgeseg.converter.loading.formats._open import FORMATS, read_model

__all__ = ["FORMATS", "Format", "RawModel", "read_model", "refuse_options"]
