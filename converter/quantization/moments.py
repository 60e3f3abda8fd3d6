"""First and second moments of each convolution's inputs.

They are gathered from a TFLite model that is run with every tensor kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.converter.quantization.rounding import CONVOLUTIONS, Windows, windows_of
from edgeseg.devices.cores import physical_cores
from edgeseg.devices.litert import open_interpreter
from edgeseg.devices.quiet import quiet

if TYPE_CHECKING:
    from edgeseg.converter.frameworks import FlatOperator
    from edgeseg.devices.types import Array


# Output positions looked at in one picture
_POSITIONS = 256
# A longer window (a fully connected layer as a 7x7 convolution, say) would need
# gigabytes for its second moments; its weights are rounded to the nearest instead
LONGEST = 4608
_SEED = 0


class Moments:
    """Running sums over windows.

    Parameters
    ----------
    shape : tuple of int
        ``(D,)`` for a convolution over all channels, ``(C, D)`` for a depthwise one.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        import numpy as np

        self._count = 0
        self._sum = np.zeros(shape, np.float64)
        long = shape[-1] > LONGEST
        self._products: Array | None = (
            None if long else np.zeros((*shape, shape[-1]), np.float64)
        )

    def add(self, windows: Array) -> None:
        """Add ``(P, D)`` or ``(C, P, D)`` windows."""
        self._count += windows.shape[-2]
        self._sum += windows.sum(axis=-2)
        if self._products is not None:
            self._products += windows.swapaxes(-1, -2) @ windows

    @property
    def mean(self) -> Array:
        """Mean window, ``(D,)`` or ``(C, D)``."""
        mean: Array = self._sum / max(self._count, 1)
        return mean

    @property
    def covariance(self) -> Array | None:
        """Covariance, ``(D, D)`` or ``(C, D, D)``; None for very long windows."""
        if self._products is None:
            return None
        mean = self.mean
        outer = mean[..., :, None] * mean[..., None, :]
        covariance: Array = self._products / max(self._count, 1) - outer
        return covariance


class InputMoments:
    """The moments of every convolution of a model with constant weights.

    Parameters
    ----------
    flat : FlatModel
        The float model.
    """

    def __init__(self, flat: FlatModel) -> None:
        import numpy as np

        self._flat = flat
        self._random = np.random.default_rng(_SEED)
        self._windows: dict[int, Windows] = {}
        self.moments: dict[int, Moments] = {}
        for place, operator in enumerate(flat.graph.operators):
            if is_refinable(flat, operator):
                self._windows[place] = windows_of(flat, operator)
                self.moments[place] = Moments(_moments_shape(flat, operator))

    def add(self, observed: Observed) -> None:
        """Add what the last run of the float model left in its tensors."""
        import numpy as np

        for place, windows in self._windows.items():
            operator = self._flat.graph.operators[place]
            cells = windows.grid[0] * windows.grid[1]
            chosen = self._random.choice(cells, min(_POSITIONS, cells), replace=False)
            seen = windows.sample(observed.read(int(operator.inputs[0])), chosen, 0)
            if self._flat.kind(operator) == "CONV_2D":
                rows = seen.reshape(len(seen), -1)
            else:
                rows = seen.transpose(2, 0, 1)
            self.moments[place].add(rows.astype(np.float64))


def is_refinable(flat: FlatModel, operator: FlatOperator) -> bool:
    """Return whether an operator is a convolution with float weights and a bias.

    Grouped convolutions (fewer input channels in the kernel than in the input),
    depthwise ones that make several channels of each, and weights that several
    operators share are left to the quantizer. A shared bias is no hindrance.
    """
    kind = flat.kind(operator)
    if kind not in CONVOLUTIONS or len(operator.inputs) < 3:
        return False
    source, kernel, bias = (int(t) for t in operator.inputs[:3])
    weights = flat.constant(kernel)
    if weights is None or weights.dtype != "float32" or flat.constant(bias) is None:
        return False
    alone = len(flat.consumers(kernel)) == 1
    return alone and weights.shape[-1] == flat.shape(source)[-1]


def _moments_shape(flat: FlatModel, operator: FlatOperator) -> tuple[int, ...]:
    _, height, width, channels = flat.shape(int(operator.inputs[1]))
    if flat.kind(operator) == "CONV_2D":
        return (height * width * channels,)
    return channels, height * width


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

    def run(self, tensor: Array) -> None:
        """Run the model once on an input tensor of its own shape and dtype."""
        self._interpreter.set_tensor(self._input, tensor)
        self._interpreter.invoke()

    def read(self, index: int) -> Array:
        """Return a tensor as the last run left it, in its own dtype."""
        values: Array = self._interpreter.get_tensor(index)
        return values

    def real(self, index: int) -> Array:
        """Return a tensor as real float32 values."""
        import numpy as np

        scale, zero_point = self.flat.quantization(index)
        values = self.read(index).astype(np.float32)
        if scale == 0:
            return values
        return (values - np.float32(zero_point)) * np.float32(scale)
