"""How two quantized files of one network differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgeseg.converter.quantization.flatbuffer import FlatModel


@dataclass(frozen=True)
class Differences:
    """What differs between the networks in two files.

    Parameters
    ----------
    weights, of : int
        Constant values that differ, and how many there are.
    largest : int
        Largest difference of an integer constant, in steps.
    steps : int
        Tensors whose scale or zero point differs.
    """

    weights: int
    of: int
    largest: int
    steps: int

    def __str__(self) -> str:
        return (
            f"{self.weights:,} of {self.of:,} weights differ, by at most "
            f"{self.largest} step{'s' * (self.largest != 1)}; {self.steps} tensors "
            "have another scale or zero point"
        )


def differences(first: bytes, second: bytes) -> Differences | None:
    """Count what differs between two quantized models.

    Parameters
    ----------
    first, second : bytes
        TFLite files; what is appended to them does not count.

    Returns
    -------
    Differences or None
        None where the operators, or shapes and types of their tensors, differ.
    """
    import numpy as np

    one, two = FlatModel(first), FlatModel(second)
    if len(one.graph.operators) != len(two.graph.operators):
        return None
    weights = total = largest = steps = 0
    for left, right in zip(one.graph.operators, two.graph.operators, strict=True):
        pairs = list(zip(_tensors(left), _tensors(right), strict=False))
        alike = len(_tensors(left)) == len(_tensors(right)) and all(
            (one.shape(a), one.dtype(a)) == (two.shape(b), two.dtype(b))
            for a, b in pairs
        )
        if one.kind(left) != two.kind(right) or not alike:
            return None
        for a, b in pairs:
            steps += not _same_steps(one, a, two, b)
            held, other = one.constant(a), two.constant(b)
            if held is None or other is None:
                continue
            total += held.size
            weights += int((held != other).sum())
            if held.dtype.kind == "i" and held.size:
                apart = held.astype(np.int64) - other.astype(np.int64)
                largest = max(largest, int(np.abs(apart).max()))
    return Differences(weights, total, largest, steps)


def _tensors(operator: Any) -> list[int]:
    return [int(i) for i in (*operator.inputs, *operator.outputs) if i >= 0]


def _same_steps(one: FlatModel, a: int, two: FlatModel, b: int) -> bool:
    import numpy as np

    first, second = (m.tensor(i).quantization for m, i in ((one, a), (two, b)))
    for key in ("scale", "zeroPoint"):
        left, right = (
            np.asarray([] if q is None or getattr(q, key) is None else getattr(q, key))
            for q in (first, second)
        )
        if not np.array_equal(left, right):
            return False
    return True
