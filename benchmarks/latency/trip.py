"""From file to overlay, picture by picture: what each stage takes of the wall time."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

from edgeseg.benchmarks.latency.distribution import summary
from edgeseg.benchmarks.latency.setup import is_decoded, read_on
from edgeseg.runtime import Capture, Look, Painter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json
    from edgeseg.runtime import Segmenter

STAGES = ("decode", "preprocess", "invoke", "postprocess", "overlay")
_MOST = 64  # pictures
_MOST_SECONDS = 20.0


def time_trip(
    segmenter: Segmenter,
    source: str,
    frames: Sequence[NDArray[np.uint8]],
    *,
    most: int = _MOST,
) -> Json:
    """Decode, segment and draw pictures one after the other.

    Parameters
    ----------
    segmenter : Segmenter
        Open and warm.
    source : str
        Where the pictures are decoded from.
    frames : sequence of ndarray
        Taken instead where there is nothing to decode.
    most : int
        Pictures; fewer where 20 seconds are over.

    Returns
    -------
    dict
        ``stages_ms`` (a summary each; ``decode`` None for drawn pictures),
        ``wall_ms`` and ``stages_share``, the stages' sum over the wall time.
    """
    pictures = read_on(source) if is_decoded(source) else itertools.cycle(frames)
    laps = list(_laps(segmenter, pictures, most))
    spent: dict[str, list[float]] = {
        stage: [lap[stage] for lap in laps] for stage in STAGES
    }
    stages: Json = {stage: summary(times) for stage, times in spent.items()}
    walls = [lap["wall"] for lap in laps]
    share = sum(map(sum, spent.values())) / sum(walls)
    if not is_decoded(source):
        stages["decode"] = None
    return {
        "pictures": len(laps),
        "stages_ms": stages,
        "wall_ms": summary(walls),
        "stages_share": round(share, 4),
    }


def _laps(
    segmenter: Segmenter, pictures: Iterator[NDArray[np.uint8]], most: int
) -> Iterator[dict[str, float]]:
    painter, look = Painter(segmenter.manifest), Look()
    begun = time.perf_counter()
    for _ in range(max(1, min(most, _MOST))):
        start = time.perf_counter()
        frame = next(pictures)
        decoded = time.perf_counter()
        found = segmenter.segment(frame)
        segmented = time.perf_counter()
        painter.draw(Capture(frame, "", 0.0), found, look)
        end = time.perf_counter()
        yield {
            "decode": 1000 * (decoded - start),
            **found.timings_ms,
            "overlay": 1000 * (end - segmented),
            "wall": 1000 * (end - start),
        }
        if end - begun > _MOST_SECONDS:
            return
