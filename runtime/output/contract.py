"""The contract of a sink as a function that any author of one can call."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeseg.runtime.output.sink import Sink

_SIZE_HW = 48, 64


def check_sink(sink: Sink, *, pictures: int = 3) -> None:
    """Raise unless an open sink keeps the contract of `Sink`; closes it.

    Parameters
    ----------
    sink : Sink
        Freshly opened, at a place where nothing is yet.
    pictures : int
        How many are written; 1 for a sink that takes no more.

    Raises
    ------
    AssertionError
        The contract is broken; the message says where.

    Examples
    --------
    >>> from edgeseg.runtime import Manifest, Style, open_sink
    >>> check_sink(open_sink("null:overlay", Style(Manifest())))
    """
    import json

    import numpy as np

    from edgeseg.runtime.capture.source import Capture
    from edgeseg.runtime.segmentation.segmenter import Segmentation

    with sink:
        for index in range(pictures):
            frame = np.full((*_SIZE_HW, 3), 40 * index, np.uint8)
            ids = np.zeros(_SIZE_HW, np.uint8)
            ids[10:20, 20 : 30 + index] = 1
            name, before = f"contract/{index:06d}", (frame.copy(), ids.copy())
            _check(sink.has(name) is False, "has: nothing is there before write")
            sink.write(Capture(frame, name, index / 10), Segmentation(ids, (), {}))
            np.testing.assert_array_equal(frame, before[0], "write changed the frame")
            np.testing.assert_array_equal(ids, before[1], "write changed the class ids")
            sink.check()
        _check(isinstance(sink.live, bool), "live is True or False")
        state = json.loads(json.dumps(sink.state))
        known = not state or state.keys() >= {"connected", "reconnects", "error"}
        _check(known, "state is empty, or says whether it is connected")
        _check(sink.finished is False, "finished: nobody has ended it")
    sink.close()


def _check(holds: bool, rule: str) -> None:
    if not holds:
        raise AssertionError(f"sink contract broken: {rule}")
