"""A float TFLite model to a quantized one, by recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeseg.converter._frameworks import need, third_party
from edgeseg.devices import ConversionError
from edgeseg.devices._cores import physical_cores
from edgeseg.devices._litert import one_line, open_interpreter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray


def quantize(
    model: bytes,
    recipe: list[dict[str, Any]],
    tensors: Iterable[NDArray[Any]],
) -> bytes:
    """Return a TFLite model quantized by ai-edge-quantizer.

    Parameters
    ----------
    model : bytes
        Float flatbuffer with one input.
    recipe : list of dict
        From `load_recipe`.
    tensors : iterable of ndarray
        Input tensors to take the activations' ranges from; iterated more than once.

    Raises
    ------
    ConversionError
        The quantizer cannot do it.
    """
    quantizer_module = need("ai_edge_quantizer.quantizer")
    try:
        with third_party():
            quantizer = quantizer_module.Quantizer(model, recipe)
            samples = {_signature(model)[0]: _Samples(model, tensors)}
            ranges = quantizer.calibrate(samples, num_threads=physical_cores())
            return bytes(quantizer.quantize(ranges).quantized_model)
    except (ValueError, RuntimeError, KeyError, TypeError) as error:
        raise ConversionError(
            f"ai-edge-quantizer cannot quantize the model: {one_line(error, 300)}"
        ) from error


def check_dtypes(activations: Mapping[str, Sequence[str]], allowed: set[str]) -> None:
    """Raise unless every activation has one of the dtypes that the recipe promises.

    Parameters
    ----------
    activations : dict of str to sequence of str
        Names by dtype; see `Graph`.
    allowed : set of str
        Such as ``{"int8"}``.

    Raises
    ------
    ConversionError
        Some have not; the message names the first.
    """
    others = {d: names for d, names in activations.items() if d not in allowed}
    if others:
        told = "; ".join(f"{len(n)} {d} such as {n[0]}" for d, n in others.items())
        raise ConversionError(
            f"expected every activation to be {' or '.join(sorted(allowed))}, "
            f"got {told}"
        )


def _signature(model: bytes) -> tuple[str, str]:
    """Return the name of the model's signature and of its input there."""
    signatures = open_interpreter(model).get_signature_list()
    name, parts = next(iter(signatures.items()))
    return name, parts["inputs"][0]


class _Samples:
    """The quantizer's form of the tensors; it iterates them twice."""

    def __init__(self, model: bytes, tensors: Iterable[NDArray[Any]]) -> None:
        self._name = _signature(model)[1]
        self._tensors = tensors

    def __iter__(self) -> Iterator[dict[str, NDArray[Any]]]:
        for tensor in self._tensors:
            yield {self._name: tensor}
