"""The package itself, by the same protocol; the one worker that imports it."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def open_loop(settings: dict[str, Any]) -> Any:
    """Open a ``.tflite`` file."""
    from edgeseg.runtime import Overrides, Segmenter

    segmenter = Segmenter.open(
        Path(settings["model"]),
        threads=settings["threads"],
        overrides=Overrides(labels=settings.get("labels")),
    )

    def loop(frame: Any) -> tuple[Any, dict[str, float]]:
        result = segmenter.segment(frame)
        return result.ids, result.timings_ms

    return loop
