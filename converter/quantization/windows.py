"""What a convolution reads: windows of its input at sampled output positions.

References
----------
TensorFlow's padding rule for ``SAME``: ``max((out - 1) * stride + (k - 1) * dilation
+ 1 - in, 0)`` in all, the smaller half in front.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeseg.converter.quantization.flatbuffer import FlatModel

CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")


@dataclass(frozen=True)
class Windows:
    """Geometry of one convolution.

    Parameters
    ----------
    kernel, stride, dilation, grid : (int, int)
        Height and width; ``grid`` is the output's.
    before : (int, int)
        Rows and columns of padding in front.
    extent : (int, int)
        Height and width of the padded input.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    grid: tuple[int, int]
    before: tuple[int, int]
    extent: tuple[int, int]

    def sample(
        self, values: NDArray[Any], positions: NDArray[Any], padding: float
    ) -> NDArray[Any]:
        """Return the windows that the output at some positions is made of.

        Parameters
        ----------
        values : ndarray
            ``(1, H, W, C)`` input.
        positions : ndarray
            ``(P,)`` indices into the output's grid, row by row.
        padding : float
            Value outside of the input.

        Returns
        -------
        ndarray
            ``(P, kernel height * width, C)``.
        """
        import numpy as np

        rows, columns = np.divmod(positions, self.grid[1])
        padded = self._pad(values[0], padding)
        down = (
            rows[:, None] * self.stride[0]
            + np.arange(self.kernel[0]) * (self.dilation[0])
        )
        across = (
            columns[:, None] * self.stride[1]
            + np.arange(self.kernel[1]) * (self.dilation[1])
        )
        windows = padded[down[:, :, None], across[:, None, :]]
        return windows.reshape(len(positions), -1, values.shape[-1])

    def _pad(self, picture: NDArray[Any], padding: float) -> NDArray[Any]:
        import numpy as np

        height, width, channels = picture.shape
        if self.extent == (height, width):
            return picture
        padded = np.full((*self.extent, channels), padding, picture.dtype)
        top, left = self.before
        fits = picture[: self.extent[0] - top, : self.extent[1] - left]
        padded[top : top + fits.shape[0], left : left + fits.shape[1]] = fits
        return padded


def windows_of(flat: FlatModel, operator: Any) -> Windows:
    """Return the geometry of a CONV_2D or DEPTHWISE_CONV_2D."""
    options = operator.builtinOptions
    source = flat.shape(int(operator.inputs[0]))[1:3]
    kernel = flat.shape(int(operator.inputs[1]))[1:3]
    grid = flat.shape(int(operator.outputs[0]))[1:3]
    stride = (options.strideH, options.strideW)
    dilation = (options.dilationHFactor, options.dilationWFactor)
    reach = [
        (grid[a] - 1) * stride[a] + (kernel[a] - 1) * dilation[a] + 1 for a in (0, 1)
    ]
    missing = [max(reach[a] - source[a], 0) for a in (0, 1)]
    return Windows(
        kernel=(kernel[0], kernel[1]),
        stride=stride,
        dilation=dilation,
        grid=(grid[0], grid[1]),
        before=(missing[0] // 2, missing[1] // 2),
        extent=(max(reach[0], source[0]), max(reach[1], source[1])),
    )
