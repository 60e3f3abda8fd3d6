"""The package itself, by the same protocol; the one worker that imports it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .plain import Array, Frame, Loop, Settings, Times


def open_loop(settings: Settings) -> Loop:
    """Open a ``.tflite`` file."""
    from edgeseg.runtime import Overrides, Segmenter

    segmenter = Segmenter.open(
        Path(settings["model"]),
        threads=settings["threads"],
        overrides=Overrides(labels=settings.get("labels")),
    )

    def loop(frame: Frame) -> tuple[Array, Times]:
        result = segmenter.segment(frame)
        return result.ids, result.timings_ms

    return loop
