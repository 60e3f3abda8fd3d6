"""Frame in, overlay out: what runs on the board."""

import typing

from edgeseg.runtime.capture.open import open_source
from edgeseg.runtime.capture.source import Capture, CaptureOptions, Source
from edgeseg.runtime.drawing.look import Look
from edgeseg.runtime.drawing.painter import Painter
from edgeseg.runtime.model.manifest import Manifest
from edgeseg.runtime.model.overrides import Overrides
from edgeseg.runtime.output.open import open_sink
from edgeseg.runtime.output.sink import Sink, Style
from edgeseg.runtime.pipeline.meter import Meter, Readings
from edgeseg.runtime.pipeline.run import PipelineOptions, Stop, Tally, run_pipeline
from edgeseg.runtime.segmentation.segmenter import Segmentation, Segmenter

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
