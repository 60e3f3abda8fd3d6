"""COCO's run lengths, plain and compressed, brought to pixels.

References
----------
https://github.com/cocodataset/cocoapi, ``common/maskApi.c`` (the compressed form: each
number in groups of five bits, the third on as the difference to the last but one).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.annotations.areas import Area
from edgeseg.runtime.annotations.entries import is_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeseg.devices.types import JsonValue

_FIRST = 48  # the character of 0
_BITS, _SIGN, _MORE = 0x1F, 0x10, 0x20
_GROUPS = 7  # of one number: 35 bits


def area_of_runs(counts: JsonValue, size_hw: tuple[int, int], where: str) -> Area:
    """Return the pixels of run lengths down the columns, the first outside.

    Parameters
    ----------
    counts : list of int or str
        Plain, or compressed.
    size_hw : (int, int)
        Of the picture.
    where : str
        File and place, for messages.

    Raises
    ------
    InputError
        They are something else, or do not add up to the picture.
    """
    import numpy as np

    height, width = size_hw
    runs = decompressed(counts, where) if isinstance(counts, str) else counts
    whole = isinstance(runs, list) and all(
        is_number(run) and 0 <= run <= height * width and run == int(run)
        for run in runs
    )
    if not whole or sum(runs) != height * width:
        got = f"{sum(runs)}" if whole else "something else"
        raise InputError(
            f"{where}: expected run lengths that add up to the {height * width} pixels "
            f"of {width}x{height}, got {got}"
        )
    inside = np.arange(len(runs)) % 2 == 1
    flat = np.repeat(inside, np.array(runs, np.int64))
    return Area(0, 0, flat.reshape(width, height).T)


def decompressed(text: str, where: str) -> list[int]:
    """Return the run lengths of COCO's compressed form.

    Raises
    ------
    InputError
        It is none.

    Examples
    --------
    >>> decompressed("13", "here")
    [1, 3]
    """
    runs: list[int] = []
    value = group = 0
    for code in text.encode("utf-8", "replace"):
        bits = code - _FIRST
        if not 0 <= bits < 64 or group == _GROUPS:
            raise InputError(f"{where}: these are no compressed run lengths")
        value |= (bits & _BITS) << (5 * group)
        group += 1
        if bits & _MORE:
            continue
        if bits & _SIGN:
            value -= 1 << (5 * group)
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = group = 0
    if group:
        raise InputError(f"{where}: the compressed run lengths end too early")
    return runs


def compressed(runs: Sequence[int]) -> str:
    """Return COCO's compressed form of run lengths.

    Examples
    --------
    >>> compressed([1, 3])
    '13'
    """
    text = bytearray()
    for index, run in enumerate(runs):
        value = run - runs[index - 2] if index > 2 else run
        more = True
        while more:
            bits = value & _BITS
            value >>= 5
            more = value != (-1 if bits & _SIGN else 0)
            text.append(_FIRST + bits + (_MORE if more else 0))
    return text.decode("ascii")
