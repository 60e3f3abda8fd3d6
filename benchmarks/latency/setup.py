"""What a latency measurement runs: model, pictures, device, threads, delegates."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgeseg.benchmarks.latency.single_stream import Rules
from edgeseg.devices import InputError
from edgeseg.runtime import Overrides

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


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
