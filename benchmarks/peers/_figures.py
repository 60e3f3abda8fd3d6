"""From turns to medians in milliseconds and to ratios with their spread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgeseg.benchmarks.peers._race import Turn


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median and quartiles.

    Parameters
    ----------
    values : sequence of float
        At least one.

    Examples
    --------
    >>> spread([1.0, 2.0, 3.0, 4.0, 5.0])
    {'median': 3.0, 'q1': 2.0, 'q3': 4.0}
    """
    import numpy as np

    low, middle, high = np.percentile(values, [25, 50, 75]).round(4).tolist()
    return {"median": middle, "q1": low, "q3": high}


def reference_figures(turns: Sequence[Turn]) -> dict[str, Any]:
    """Return edgeseg's milliseconds, and its ratio to itself within a turn.

    Parameters
    ----------
    turns : sequence of Turn
        Of one reference. The ratio, after over before, is what chance alone gives.
    """
    measured = [one for turn in turns for one in (turn.before, turn.after)]
    itself = {
        kind: spread([turn.after[key] / turn.before[key] for turn in turns])
        for kind, key in _RATIOS
    }
    return {"ms": _milliseconds(measured), "ratio_to_itself": itself}


def peer_figures(name: str, turns: Sequence[Turn]) -> dict[str, Any]:
    """Return a peer's milliseconds and its ratios to edgeseg in the same turns.

    Parameters
    ----------
    name : str
        The peer's.
    turns : sequence of Turn
        Of its reference. A ratio is over the mean of edgeseg before and after.
    """
    taken = [turn for turn in turns if name in turn.peers]
    ratios = {}
    for kind, key in _RATIOS:
        values = [
            2 * turn.peers[name][key] / (turn.before[key] + turn.after[key])
            for turn in taken
        ]
        ratios[kind] = spread(values)
    return {
        "ms": _milliseconds([turn.peers[name] for turn in taken]),
        "ratio_to_edgeseg": ratios,
        "turns": len(taken),
    }


# What is compared -> the figure of a turn that it is taken from
_RATIOS = (("invoke", "invoke"), ("picture_to_labels", "total"))


def _milliseconds(measured: Sequence[dict[str, float]]) -> dict[str, Any]:
    return {key: spread([one[key] for one in measured]) for key in measured[0]}
