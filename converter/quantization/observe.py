"""A TFLite model run with every tensor kept, to look at what flows inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.devices._cores import physical_cores
from edgeseg.devices._litert import open_interpreter
from edgeseg.devices._quiet import quiet

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Observed:
    """An open model; after each `run` any activation can be read.

    Parameters
    ----------
    content : bytes
        A TFLite model with one input.

    Attributes
    ----------
    flat : FlatModel
        Its operators and tensors.
    activations : tuple of int
        Tensor indices: the input, then what each operator writes, in order.
    """

    def __init__(self, content: bytes) -> None:
        self.flat = FlatModel(content)
        self._interpreter: Any = open_interpreter(
            content, threads=physical_cores(), keep_tensors=True
        )
        with quiet(stdout=True):
            self._interpreter.allocate_tensors()
        self._input = int(self.flat.graph.inputs[0])
        written = [int(t) for o in self.flat.graph.operators for t in o.outputs]
        self.activations = (self._input, *written)

    def run(self, tensor: NDArray[Any]) -> None:
        """Run the model once on an input tensor of its own shape and dtype."""
        self._interpreter.set_tensor(self._input, tensor)
        self._interpreter.invoke()

    def read(self, index: int) -> NDArray[Any]:
        """Return a tensor as the last run left it, in its own dtype."""
        values: NDArray[Any] = self._interpreter.get_tensor(index)
        return values

    def real(self, index: int) -> NDArray[Any]:
        """Return a tensor as real float32 values."""
        import numpy as np

        scale, zero_point = self.flat.quantization(index)
        values = self.read(index).astype(np.float32)
        if scale == 0:
            return values
        return (values - np.float32(zero_point)) * np.float32(scale)
