"""Where results go, chosen by one string."""

from edgeseg.runtime.sinks._base import Sink, Style
from edgeseg.runtime.sinks._open import SINKS, open_sink

__all__ = ["SINKS", "Sink", "Style", "open_sink"]
