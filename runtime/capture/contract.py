"""The contract of a source as a function that any author of one can call."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edgeseg.runtime.capture.source import Capture, Source

_AFTER_STOP = 2  # frames that may be under way when a live source is stopped


def check_source(source: Source, *, most: int = 4) -> None:
    """Raise unless an open source keeps the contract of `Source`; closes it.

    Parameters
    ----------
    source : Source
        Freshly opened, with a picture to give.
    most : int
        Captures that are looked at.

    Raises
    ------
    AssertionError
        The contract is broken; the message says where.

    Examples
    --------
    >>> from edgeseg.runtime import open_source
    >>> check_source(open_source("synthetic:64x48,frames=3"))
    """
    import json

    with source:
        announced, count = source.names(), source.count
        _check(source.fps is None or source.fps > 0, "fps is positive or None")
        frames = source.captures()
        captures = [capture for capture, _ in zip(frames, range(most), strict=False)]
        _check(bool(captures), "a source gives a picture, or raises")
        _check_captures(captures)
        json.dumps(source.state)
        _check(
            all(file.exists() for file in source.files), "files: those that it reads"
        )
        _check(all(isinstance(line, str) for line in source.failures), "failures: text")
        if source.live:
            _check_live(source, frames)
        elif announced:
            _check(count == len(announced), "one name a picture")
            names = tuple(capture.name for capture in captures)
            _check(names == announced[: len(names)], "captures are named as announced")
        source.stop()
    source.close()


def _check_captures(captures: Sequence[Capture]) -> None:
    for capture in captures:
        frame = capture.frame
        _check(frame.dtype == "uint8", f"{capture.name}: frames are uint8")
        _check(frame.ndim == 3 and frame.shape[2] == 3, "frames are (H, W, 3)")
        _check(bool(frame.flags.c_contiguous), "frames are contiguous")
        parts = capture.name.split("/")
        _check(bool(parts[0]) and ".." not in parts, "names are relative paths")
    _check(len({each.name for each in captures}) == len(captures), "names differ")
    times = [(each.time_s, each.captured_s) for each in captures]
    for before, after in pairwise(times):
        _check(before[0] <= after[0] and before[1] <= after[1], "times never go back")
    _check(captures[0].time_s == 0, "time counts from the first picture")


def _check_live(source: Source, frames: Iterator[Capture]) -> None:
    state = source.state
    if state:  # of a source that connects
        _check(state.get("connected") is True, "state says that it is connected")
        _check(state.get("reconnects") == 0, "state says how often it connected again")
    source.stop()
    late = [frame for frame, _ in zip(frames, range(_AFTER_STOP + 1), strict=False)]
    _check(len(late) <= _AFTER_STOP, "stop ends captures")


def _check(holds: bool, rule: str) -> None:
    if not holds:
        raise AssertionError(f"source contract broken: {rule}")
