"""What a latency measurement runs: model, device, threads, delegates, pictures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgeseg.benchmarks.latency.single_stream import Rules
from edgeseg.devices import InputError
from edgeseg.runtime import Overrides, open_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

MOST = 32  # pictures: enough that no cache holds them all
_MOST_BYTES = 128 << 20  # a board with 1 GB must hold them beside the model


@dataclass(frozen=True)
class Setup:
    """What is measured.

    Parameters
    ----------
    model : Path
        A ``.tflite`` file.
    source : str
        Pictures; see `open_source`.
    device : str
        See `open_device`.
    threads : sequence of int or None
        A run each; None leaves the number to the device.
    delegates : sequence of bool or None
        A run each, with the CPU delegate or without it; None as the device has it.
    rules : Rules
        How long.
    overrides : Overrides
        What to use instead of what the model's file says.
    """

    model: Path
    source: str
    device: str = "auto"
    threads: Sequence[int | None] = (None,)
    delegates: Sequence[bool | None] = (None,)
    rules: Rules = field(default_factory=Rules.full)
    overrides: Overrides = field(default_factory=Overrides)

    def combinations(self) -> Iterator[tuple[str, int | None]]:
        """Give device string and threads of every run."""
        for delegate in self.delegates:
            for threads in self.threads:
                yield with_delegate(self.device, delegate), threads


def with_delegate(device: str, delegate: bool | None) -> str:
    """Return a device string that takes the CPU delegate, or leaves it out.

    Raises
    ------
    InputError
        The device knows no such choice.

    Examples
    --------
    >>> with_delegate("auto", False), with_delegate("desktop", True)
    ('desktop:plain', 'desktop:cpu')
    """
    if delegate is None:
        return device
    if device not in ("auto", "desktop", "desktop:cpu", "desktop:plain"):
        raise InputError(
            f"--delegate is a choice of the device 'desktop' only, not of {device!r}"
        )
    return "desktop:cpu" if delegate else "desktop:plain"


def hold_frames(source: str) -> list[NDArray[np.uint8]]:
    """Return the first pictures of a source, decoded.

    Parameters
    ----------
    source : str
        See `open_source`. At most 32 pictures, or 128 MiB, are taken.

    Raises
    ------
    InputError
        There is no such source, or no picture of it can be read.
    """
    held: list[NDArray[np.uint8]] = []
    with open_source(source) as opened:
        for capture in opened.captures():
            held.append(capture.frame)
            if len(held) == MOST or sum(f.nbytes for f in held) >= _MOST_BYTES:
                break
        if not held:
            reason = "; ".join(opened.failures[:1]) or "it gives none"
            raise InputError(f"no picture of {source} can be used: {reason}")
    return held


def is_decoded(source: str) -> bool:
    """Return whether pictures come out of files or a camera, not out of a drawing."""
    return not source.startswith("synthetic:")


def read_on(source: str) -> Iterator[NDArray[np.uint8]]:
    """Give the pictures of a source again and again, each one decoded when asked.

    Raises
    ------
    InputError
        No picture can be read any more.
    """
    found = True
    while found:
        found = False
        with open_source(source) as opened:
            for capture in opened.captures():
                found = True
                yield capture.frame
    raise InputError(f"the pictures of {source} are gone")
