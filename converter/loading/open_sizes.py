"""Networks that were drawn for pictures of any size, at a size that does not fit.

Nothing in such a network says its stride. Its grids meet again only where a side is a
multiple of it: sizes near by are tried, and those that work are named.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edgeseg.devices import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    Size = tuple[int, int]
    Draw = Callable[[Size], Size]  # the output's height and width at an input size

_STRIDES = (2, 4, 8, 16, 32, 64, 128)
_FAILURES = (ValueError, TypeError, RuntimeError, AttributeError, InputError)


def check_open_size(draw: Draw, size: Size) -> None:
    """Raise `InputError` unless a network of open size covers a picture exactly.

    Parameters
    ----------
    draw : callable
        Draws the network for a picture's height and width, and returns those of its
        output; raises where its layers do not fit together.
    size : (int, int)
        Height and width that are wanted.
    """
    tried: dict[Size, Size | None] = {}
    found = _drawn(draw, size, tried)
    for stride in _STRIDES:
        below, above = (
            tuple(max(round_(side / stride), 1) * stride for side in size)
            for round_ in (math.floor, math.ceil)
        )
        outputs = [_drawn(draw, (one[0], one[1]), tried) for one in (below, above)]
        if outputs[0] is None or outputs[1] is None or not _whole(outputs[0], below):
            continue
        if found is not None and _alike(found, size, below[0] // outputs[0][0]):
            return
        raise InputError(
            f"the network takes pictures of any size whose sides fit its stride of "
            f"{stride}, and {size[0]}x{size[1]} does not: choose --size "
            f"{below[0]}x{below[1]} or {above[0]}x{above[1]}"
        )
    if found is None:
        raise InputError(
            f"the network's layers do not fit together at {size[0]}x{size[1]}, nor at "
            "sizes near by: choose the --size that it was trained with"
        )


def _drawn(draw: Draw, size: Size, tried: dict[Size, Size | None]) -> Size | None:
    if size not in tried:
        try:
            tried[size] = draw(size)
        except _FAILURES:
            tried[size] = None
    return tried[size]


def _whole(output: Size, size: tuple[int, ...]) -> bool:
    """Return whether an output's cells cover a picture by the same whole number."""
    return all(s % o == 0 for o, s in zip(output, size, strict=True)) and (
        size[0] // output[0] == size[1] // output[1]
    )


def _alike(found: Size, size: Size, stride: int) -> bool:
    """Return whether an output is the grid of a stride over a picture."""
    return all(o == math.ceil(s / stride) for o, s in zip(found, size, strict=True))
