"""Times of a segmenter's stages beside those of the plain implementations."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from edgeseg.benchmarks.speed.plain import plain_class_ids, plain_tensor
from edgeseg.runtime.preprocess import encoding_table, place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime import Segmenter

# How often all frames are taken
ROUNDS = 4


def measure(
    segmenter: Segmenter, frames: Sequence[NDArray[np.uint8]], rounds: int = ROUNDS
) -> dict[str, list[float]]:
    """Time every stage on every frame, the plain ones right after the others.

    Parameters
    ----------
    segmenter : Segmenter
        What is measured.
    frames : sequence of ndarray
        ``(H, W, 3)`` uint8 RGB.
    rounds : int
        How often all frames are taken; one more comes first and is left out.

    Returns
    -------
    dict of str to list of float
        Milliseconds of ``preprocess``, ``invoke``, ``postprocess``, ``wall``,
        ``plain_preprocess`` and ``plain_postprocess``, one a frame and round.

    Raises
    ------
    ValueError
        The plain implementation gave other class ids.
    """
    spent: dict[str, list[float]] = defaultdict(list)
    for turn in range(-1, rounds):
        for frame in frames:
            times = _one(segmenter, frame)
            for stage, ms in times.items() if turn >= 0 else ():
                spent[stage].append(ms)
    return dict(spent)


def _one(segmenter: Segmenter, frame: NDArray[np.uint8]) -> dict[str, float]:
    import numpy as np

    start = time.perf_counter()
    result = segmenter.segment(frame)
    wall = 1000 * (time.perf_counter() - start)
    plain, ids = _plain(segmenter, frame)
    if not np.array_equal(ids, result.ids):
        raise ValueError("the plain implementation gives other class ids")
    return {**result.timings_ms, "wall": wall, **plain}


def _plain(
    segmenter: Segmenter, frame: NDArray[np.uint8]
) -> tuple[dict[str, float], NDArray[np.uint8]]:
    """Return times and class ids of the plain implementations."""
    manifest, hw = segmenter.manifest, segmenter.input_hw
    spec_in, spec_out = segmenter.device.inputs[0], segmenter.device.outputs[0]
    table = encoding_table(spec_in, manifest)
    times = [time.perf_counter()]
    tensor = plain_tensor(frame, hw, manifest, table)
    times.append(time.perf_counter())
    output = segmenter.device.infer(tensor)[0]
    placement = place((frame.shape[0], frame.shape[1]), hw, manifest.fit)
    times.append(time.perf_counter())
    ids = plain_class_ids(output, spec_out, segmenter.head, placement, manifest.resize)
    times.append(time.perf_counter())
    spent = {
        "plain_preprocess": 1000 * (times[1] - times[0]),
        "plain_postprocess": 1000 * (times[3] - times[2]),
    }
    return spent, ids


def summary(spent: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Return medians with quartiles of what `measure` gave, and of their ratios.

    ``share`` is preprocessing and postprocessing over invoke, ``plain_share`` the
    same of the plain ones, ``gain`` the plain ones over the others, ``of_wall`` the
    three stages over the wall time; each is taken frame by frame.

    Examples
    --------
    >>> one = {"preprocess": [1.0], "invoke": [20.0], "postprocess": [1.0]}
    >>> plain = {"plain_preprocess": [4.0], "plain_postprocess": [6.0]}
    >>> summary({**one, **plain, "wall": [22.0]})["gain"]
    {'median': 5.0, 'quartiles': [5.0, 5.0]}
    """
    import numpy as np

    ms = {stage: np.array(values) for stage, values in spent.items()}
    own = ms["preprocess"] + ms["postprocess"]
    plain = ms["plain_preprocess"] + ms["plain_postprocess"]
    return {
        "ms": {stage: _spread(values) for stage, values in ms.items()},
        "share": _spread(own / ms["invoke"]),
        "plain_share": _spread(plain / ms["invoke"]),
        "gain": _spread(plain / own),
        "of_wall": _spread((own + ms["invoke"]) / ms["wall"]),
        "queries": len(own),
    }


def _spread(values: NDArray[np.float64]) -> dict[str, Any]:
    import numpy as np

    low, median, high = np.percentile(values, [25, 50, 75])
    return {
        "median": round(float(median), 4),
        "quartiles": [round(float(low), 4), round(float(high), 4)],
    }
