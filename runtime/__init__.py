"""Frame in, overlay out: what runs on the board."""

import typing

from edgeseg.runtime.look import Look, Painter
from edgeseg.runtime.manifest import Manifest
from edgeseg.runtime.meter import Meter, Readings
from edgeseg.runtime.model_manifest import Overrides
from edgeseg.runtime.pipeline import PipelineOptions, Stop, Tally, run_pipeline
from edgeseg.runtime.segmenter import Segmentation, Segmenter
from edgeseg.runtime.sinks import Sink, Style, open_sink
from edgeseg.runtime.sources import Capture, CaptureOptions, Source, open_source

if typing.TYPE_CHECKING:
    __version__: str
else:
    from edgeseg.runtime.version import __getattr__ as __getattr__

__all__ = [
    "Capture",
    "CaptureOptions",
    "Look",
    "Manifest",
    "Meter",
    "Overrides",
    "Painter",
    "PipelineOptions",
    "Readings",
    "Segmentation",
    "Segmenter",
    "Sink",
    "Source",
    "Stop",
    "Style",
    "Tally",
    "open_sink",
    "open_source",
    "run_pipeline",
]
