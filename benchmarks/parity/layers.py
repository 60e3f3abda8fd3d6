"""Where two .tflite files of one network part: the first operator that differs.

Tensors are compared by name, which conversions of one network keep. Two tensors of
one type and one quantization differ where any value does. Others store the same real
values in different steps, so that up to one step of the coarser is rounding.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgeseg.converter.quantization.moments import Observed
    from edgeseg.devices.types import Array, Json


@dataclass(frozen=True)
class LayerDifference:
    """How far the output of one operator is apart in two models.

    Parameters
    ----------
    name : str
        Of the tensor, in both models.
    operator : str
        Kind of the operator that writes it in the first model.
    largest : float
        Largest absolute difference of its real values.
    step : float or None
        Quantization step of the coarser of the two; None where both are float.
    differs : bool
        Whether that is more than the two types explain.
    """

    name: str
    operator: str
    largest: float
    step: float | None
    differs: bool

    def to_dict(self) -> Json:
        """Return JSON values."""
        steps = None if self.step is None else self.largest / self.step
        return {**asdict(self), "steps": steps}


def layer_differences(
    first: bytes,
    second: bytes,
    tensors: Iterable[tuple[Array, Array]],
) -> tuple[LayerDifference, ...]:
    """Run two models and compare the tensors that both have, in the first's order.

    Parameters
    ----------
    first, second : bytes
        TFLite models with one input.
    tensors : iterable of (ndarray, ndarray)
        The input tensors of both for the same pictures.

    Raises
    ------
    InputError
        The models share no tensor, or there are no pictures.
    """
    import numpy as np

    from edgeseg.converter.quantization.moments import Observed

    one, two = Observed(first), Observed(second)
    pairs = _shared(one, two)
    largest = dict.fromkeys(pairs, 0.0)
    runs = 0
    for here, there in tensors:
        one.run(here)
        two.run(there)
        for index, twin in pairs.items():
            apart = np.abs(one.real(index) - two.real(twin)).max(initial=0.0)
            largest[index] = max(largest[index], float(apart))
        runs += 1
    if not pairs or not runs:
        raise InputError(
            "expected two conversions of one network and pictures to run, got "
            f"{len(pairs)} tensors of the same name and shape, {runs} pictures"
        )
    return tuple(
        _told(one, two, index, pairs[index], largest[index]) for index in pairs
    )


def first_difference(
    layers: Iterable[LayerDifference],
) -> LayerDifference | None:
    """Return the first operator whose output differs, None where none does."""
    return next((layer for layer in layers if layer.differs), None)


def _told(
    one: Observed, two: Observed, index: int, twin: int, largest: float
) -> LayerDifference:
    quantized = one.flat.quantization(index), two.flat.quantization(twin)
    step = max(scale for scale, _ in quantized) or None
    same = quantized[0] == quantized[1] and one.flat.dtype(index) == two.flat.dtype(
        twin
    )
    # half a step of each is rounding; float32 arithmetic on top of it
    allowed = 0.0 if same or step is None else step * 1.0001
    name, kind = one.flat.name(index), one.flat.kind(one.flat.producers()[index])
    return LayerDifference(name, kind, largest, step, largest > allowed)


def _shared(one: Observed, two: Observed) -> dict[int, int]:
    """Return what operators of the first write, with its twin in the second."""
    twins = {two.flat.name(index): index for index in two.activations[1:]}
    shared = {}
    for index in one.activations[1:]:
        twin = twins.get(one.flat.name(index))
        if twin is not None and one.flat.shape(index) == two.flat.shape(twin):
            shared[index] = twin
    return shared
