"""A float TFLite model to a quantized one, by recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeseg.converter._frameworks import need
from edgeseg.devices import ConversionError
from edgeseg.devices._litert import one_line
from edgeseg.devices._quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray


def quantize(
    model: bytes,
    recipe: list[dict[str, Any]],
    tensors: Iterable[NDArray[Any]],
    *,
    progress: Callable[[int], None] | None = None,
) -> bytes:
    """Return a TFLite model quantized by ai-edge-quantizer.

    Parameters
    ----------
    model : bytes
        Float flatbuffer with one input.
    recipe : list of dict
        From `load_recipe`.
    tensors : iterable of ndarray
        Input tensors to take the activations' ranges from.
    progress : callable or None
        Called with the number of tensors used so far.

    Raises
    ------
    ConversionError
        The quantizer cannot do it.
    """
    quantizer_module = need("ai_edge_quantizer.quantizer")
    try:
        with quiet(stdout=True):
            quantizer = quantizer_module.Quantizer(model, recipe)
            samples = _samples(model, tensors, progress)
            ranges = quantizer.calibrate({_signature(model)[0]: samples}, num_threads=2)
            return bytes(quantizer.quantize(ranges).quantized_model)
    except (ValueError, RuntimeError, KeyError, TypeError) as error:
        raise ConversionError(
            f"ai-edge-quantizer cannot quantize the model: {one_line(error, 300)}"
        ) from error


def check_dtypes(activations: dict[str, Sequence[str]], allowed: set[str]) -> None:
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
            f"expected every activation to be {' or '.join(sorted(allowed))}, got {told}"
        )


def _signature(model: bytes) -> tuple[str, str]:
    """Return the name of the model's signature and of its input there."""
    from edgeseg.devices._litert import open_interpreter

    signatures = open_interpreter(model).get_signature_list()
    name, parts = next(iter(signatures.items()))
    return name, parts["inputs"][0]


def _samples(
    model: bytes,
    tensors: Iterable[NDArray[Any]],
    progress: Callable[[int], None] | None,
) -> Iterator[dict[str, NDArray[Any]]]:
    name = _signature(model)[1]
    for done, tensor in enumerate(tensors, 1):
        yield {name: tensor}
        if progress is not None:
            progress(done)
