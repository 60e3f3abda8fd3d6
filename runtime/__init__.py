"""Frame in, overlay out: what runs on the board."""

from edgeseg.runtime.manifest import Manifest
from edgeseg.runtime.pipeline import Tally, run_pipeline
from edgeseg.runtime.segmenter import Overrides, Segmentation, Segmenter
from edgeseg.runtime.sinks import Sink, Style, open_sink
from edgeseg.runtime.sources import Capture, Source, open_source

__all__ = [
    "Capture",
    "Manifest",
    "Overrides",
    "Segmentation",
    "Segmenter",
    "Sink",
    "Source",
    "Style",
    "Tally",
    "open_sink",
    "open_source",
    "run_pipeline",
]
