"""The scores of a model for float input tensors, whatever type it computes in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.devices.cores import physical_cores
from edgeseg.devices.litert import open_interpreter, tensor_specs
from edgeseg.devices.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from edgeseg.devices.types import Array


def final_scores(content: bytes, tensors: Iterable[Array]) -> Iterator[Array]:
    """Run a model the ordinary way and yield its scores as real values.

    Parameters
    ----------
    content : bytes
        TFLite model with one input and one output.
    tensors : iterable of ndarray
        ``(1, H, W, 3)`` float32: real input values.

    Yields
    ------
    ndarray
        float32 of the output's shape.
    """
    interpreter = open_interpreter(content, threads=physical_cores())
    with quiet(stdout=True):
        interpreter.allocate_tensors()
    inputs, outputs = (
        interpreter.get_input_details(),
        interpreter.get_output_details(),
    )
    source, target = tensor_specs(inputs)[0], tensor_specs(outputs)[0]
    for tensor in tensors:
        interpreter.set_tensor(inputs[0]["index"], source.quantize(tensor))
        interpreter.invoke()
        yield target.dequantize(interpreter.get_tensor(outputs[0]["index"]))


def mean_squared_error(
    content: bytes, tensors: Iterable[Array], expected: Iterable[Array]
) -> float:
    """Return how far a model's scores are from those expected, squared, on average.

    Parameters
    ----------
    content, tensors
        See `final_scores`.
    expected : iterable of ndarray
        float32 scores of the float model, one for each tensor.
    """
    import numpy as np

    errors = [
        float(np.mean(np.square(found - wanted, dtype=np.float64)))
        for found, wanted in zip(final_scores(content, tensors), expected, strict=True)
    ]
    return float(np.mean(errors))


def with_output_of(content: bytes, whole: bytes) -> bytes:
    """Return a model whose scores are stored as another's.

    An operator kept in float at the end leaves float scores, where an int8 model
    is wanted: one QUANTIZE with the other's scale and zero point mends that.

    Parameters
    ----------
    content : bytes
        TFLite model; it stays as it is where the types are the same.
    whole : bytes
        The all-quantized model of the same float model.
    """
    flat, other = FlatModel(content), FlatModel(whole)
    inner, wanted = int(flat.graph.outputs[0]), int(other.graph.outputs[0])
    dtype = other.dtype(wanted)
    if flat.dtype(inner) == dtype or flat.dtype(inner) != "float32":
        return content
    outer = flat.add_tensor(f"{flat.name(inner)}/{dtype}", flat.shape(inner), dtype)
    flat.set_quantization(outer, *other.quantization(wanted))
    flat.graph.operators.append(flat.operator("QUANTIZE", [inner], [outer]))
    flat.set_output(outer)
    return flat.to_bytes()
