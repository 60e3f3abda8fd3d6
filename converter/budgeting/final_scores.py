"""What a model answers to float input tensors, whatever type it computes in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeseg.devices._cores import physical_cores
from edgeseg.devices._litert import open_interpreter, tensor_specs
from edgeseg.devices._quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray


def final_scores(
    content: bytes, tensors: Iterable[NDArray[Any]]
) -> Iterator[NDArray[Any]]:
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
    content: bytes, tensors: Iterable[NDArray[Any]], expected: Iterable[NDArray[Any]]
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
