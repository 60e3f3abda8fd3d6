"""Differences of two TFLite files of one network."""

from __future__ import annotations

from dataclasses import dataclass

from edgeseg.converter.quantization.flatbuffer import FlatModel


@dataclass(frozen=True)
class Differences:
    """Counted differences between the networks in two files.

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
    pairs = tensor_pairs(one, two)
    if pairs is None:
        return None
    weights = total = largest = steps = 0
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


def tensor_pairs(one: FlatModel, two: FlatModel) -> list[tuple[int, int]] | None:
    """Return the tensors of two models that stand in the same places.

    Operators are compared by their place, tensors by their place at the operator:
    neither names nor numbers of tensors need agree.

    Returns
    -------
    list of (int, int) or None
        Indices in the first and in the second model, a pair for each use of a tensor;
        None where the operators, or shapes and types of their tensors, differ.
    """
    if _structure(one) != _structure(two):
        return None
    return list(zip(_tensors(one), _tensors(two), strict=True))


def _structure(model: FlatModel) -> list[object]:
    def form(index: int) -> object:
        is_constant = index >= 0 and model.constant(index) is not None
        return index >= 0 and (model.shape(index), model.dtype(index), is_constant)

    return [
        (
            model.kind(operator),
            [form(int(i)) for i in operator.inputs],
            [form(int(i)) for i in operator.outputs],
        )
        for operator in model.graph.operators
    ]


def _tensors(model: FlatModel) -> list[int]:
    return [
        int(i)
        for operator in model.graph.operators
        for i in (*operator.inputs, *operator.outputs)
        if i >= 0
    ]


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
