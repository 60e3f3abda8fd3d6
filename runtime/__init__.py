"""Frame in, overlay out: what runs on the board."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeseg.runtime.capture.contract import check_source
    from edgeseg.runtime.capture.frames import FrameSource
    from edgeseg.runtime.capture.open import open_source
    from edgeseg.runtime.capture.source import Capture, CaptureOptions, Source
    from edgeseg.runtime.drawing.contract import check_effect
    from edgeseg.runtime.drawing.look import Look
    from edgeseg.runtime.drawing.painter import Painter
    from edgeseg.runtime.model.manifest import Manifest
    from edgeseg.runtime.model.overrides import Overrides
    from edgeseg.runtime.output.callback import CallbackSink
    from edgeseg.runtime.output.contract import check_sink
    from edgeseg.runtime.output.open import open_sink
    from edgeseg.runtime.output.sink import Sink, Style
    from edgeseg.runtime.pipeline.meter import Meter, Readings
    from edgeseg.runtime.pipeline.run import PipelineOptions, Stop, Tally, run_pipeline
    from edgeseg.runtime.segmentation.blobs import Blob
    from edgeseg.runtime.segmentation.segmenter import Segmentation, Segmenter
    from edgeseg.runtime.zones.events import Event
    from edgeseg.runtime.zones.line import Line
    from edgeseg.runtime.zones.watch import Watch
    from edgeseg.runtime.zones.zone import Zone

    __version__: str
else:
    from edgeseg.devices.lazy import lazy_exports as _lazy_exports

    _load, __dir__ = _lazy_exports(
        __name__,
        {
            "Blob": "edgeseg.runtime.segmentation.blobs",
            "CallbackSink": "edgeseg.runtime.output.callback",
            "Capture": "edgeseg.runtime.capture.source",
            "CaptureOptions": "edgeseg.runtime.capture.source",
            "Event": "edgeseg.runtime.zones.events",
            "FrameSource": "edgeseg.runtime.capture.frames",
            "Line": "edgeseg.runtime.zones.line",
            "Look": "edgeseg.runtime.drawing.look",
            "Manifest": "edgeseg.runtime.model.manifest",
            "Meter": "edgeseg.runtime.pipeline.meter",
            "Overrides": "edgeseg.runtime.model.overrides",
            "Painter": "edgeseg.runtime.drawing.painter",
            "PipelineOptions": "edgeseg.runtime.pipeline.run",
            "Readings": "edgeseg.runtime.pipeline.meter",
            "Segmentation": "edgeseg.runtime.segmentation.segmenter",
            "Segmenter": "edgeseg.runtime.segmentation.segmenter",
            "Sink": "edgeseg.runtime.output.sink",
            "Source": "edgeseg.runtime.capture.source",
            "Stop": "edgeseg.runtime.pipeline.run",
            "Style": "edgeseg.runtime.output.sink",
            "Tally": "edgeseg.runtime.pipeline.run",
            "Watch": "edgeseg.runtime.zones.watch",
            "Zone": "edgeseg.runtime.zones.zone",
            "check_effect": "edgeseg.runtime.drawing.contract",
            "check_sink": "edgeseg.runtime.output.contract",
            "check_source": "edgeseg.runtime.capture.contract",
            "open_sink": "edgeseg.runtime.output.open",
            "open_source": "edgeseg.runtime.capture.open",
            "run_pipeline": "edgeseg.runtime.pipeline.run",
        },
    )

    def __getattr__(name):
        if name != "__version__":
            return _load(name)
        # half a megabyte of modules for e-mail, which few runs need
        from importlib.metadata import version

        return version("edgeseg")


__all__ = [
    "Blob",
    "CallbackSink",
    "Capture",
    "CaptureOptions",
    "Event",
    "FrameSource",
    "Line",
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
    "Watch",
    "Zone",
    "check_effect",
    "check_sink",
    "check_source",
    "open_sink",
    "open_source",
    "run_pipeline",
]
