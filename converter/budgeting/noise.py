"""The share of quantization noise in each activation.

For a tensor with the values f in the float model and q, as real numbers, in the
quantized one, the signal-to-quantization-noise ratio is

    SQNR = 10 log10(sum f^2 / sum (f - q)^2)  decibels,

both sums over all values on all pictures. The noise of a tensor holds that of all
before it; 20 dB mean that the noise is a tenth of the signal. The two models are
compared by the names of their tensors, which the quantizer keeps.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from edgeseg.converter.quantization.moments import Observed
from edgeseg.devices import ConversionError, TensorSpec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgeseg.converter.quantization.flatbuffer import FlatModel
    from edgeseg.devices.types import Array, Json


@dataclass(frozen=True)
class LayerNoise:
    """The noise of one activation.

    Parameters
    ----------
    name : str
        Of the tensor, the same in both models.
    operator : str
        Kind of the operator that writes it in the float model.
    sqnr_db : float or None
        Decibels; None where there is no noise at all, or no signal.
    """

    name: str
    operator: str
    sqnr_db: float | None

    def to_dict(self) -> Json:
        """Return JSON values."""
        return asdict(self)


def layer_noise(
    float_content: bytes, result_content: bytes, tensors: Iterable[Array]
) -> tuple[LayerNoise, ...]:
    """Run a float model and a quantized one and compare what flows inside.

    Parameters
    ----------
    float_content, result_content : bytes
        TFLite models; the second was made of the first.
    tensors : iterable of ndarray
        Input tensors of the float model, ``(1, H, W, 3)`` float32.

    Returns
    -------
    tuple of LayerNoise
        Of the activations that both models have, in the float graph's order; the
        final scores are the last.

    Raises
    ------
    ConversionError
        The models have no activation in common, or there are no tensors.
    """
    first, second = Observed(float_content), Observed(result_content)
    pairs = _shared(first.flat, second.flat)
    source = input_spec(second.flat)
    signal, noise = dict.fromkeys(pairs, 0.0), dict.fromkeys(pairs, 0.0)
    runs = 0
    for tensor in tensors:
        first.run(tensor)
        second.run(source.quantize(tensor))
        for index, twin in pairs.items():
            values = first.real(index)
            signal[index] += _energy(values)
            noise[index] += _energy(values - second.real(twin))
        runs += 1
    if not pairs or not runs:
        raise ConversionError(
            f"expected two models that share activations and some tensors to run, got "
            f"{len(pairs)} shared activations and {runs} tensors"
        )
    kinds = {
        int(index): first.flat.kind(operator)
        for operator in first.flat.graph.operators
        for index in operator.outputs
    }
    return tuple(
        LayerNoise(first.flat.name(i), kinds[i], decibels(signal[i], noise[i]))
        for i in pairs
    )


def decibels(signal: float, noise: float) -> float | None:
    """Return the ratio of two energies in decibels, None where one of them is 0.

    Examples
    --------
    >>> decibels(100.0, 1.0), decibels(1.0, 0.0)
    (20.0, None)
    """
    return 10 * math.log10(signal / noise) if signal > 0 and noise > 0 else None


def input_spec(flat: FlatModel) -> TensorSpec:
    """Return a model's one input as the devices describe it."""
    index = int(flat.graph.inputs[0])
    scale, zero_point = flat.quantization(index)
    return TensorSpec(
        flat.name(index), flat.shape(index), flat.dtype(index), scale, zero_point
    )


def _shared(first: FlatModel, second: FlatModel) -> dict[int, int]:
    """Return the float activations' indices and those of the same name's twins."""
    twins = {
        second.name(int(index)): int(index)
        for operator in second.graph.operators
        for index in operator.outputs
    }
    written = [int(index) for o in first.graph.operators for index in o.outputs]
    return {
        index: twins[first.name(index)]
        for index in written
        if first.dtype(index) == "float32" and first.name(index) in twins
    }


def _energy(values: Array) -> float:
    import numpy as np

    flat = values.ravel().astype(np.float64)
    return float(flat @ flat)
