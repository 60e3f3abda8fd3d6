"""Where pictures come from, chosen by one string."""

from edgeseg.runtime.sources._base import Capture, CaptureOptions, Source
from edgeseg.runtime.sources._open import SOURCES, open_source

__all__ = ["SOURCES", "Capture", "CaptureOptions", "Source", "open_source"]
