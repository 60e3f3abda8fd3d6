"""Bilinear resizing with a chosen alignment of corners, on every backend of Keras.

Keras' own ``Resizing`` knows one alignment only, the half-pixel one; weights that
were trained with another lose accuracy with it. The class is made on first use, so
that importing this module imports no Keras.

Along one axis of ``n`` cells, the cell that output ``i`` of ``m`` reads from is

=============  =======================
align-corners  ``i * (n - 1) / (m - 1)``
half-pixel     ``(i + 0.5) * n / m - 0.5``
legacy         ``i * n / m``
=============  =======================

between its two neighbours, and the nearest of them at a border.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need
from edgeseg.devices import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.converter.frameworks import KerasClass, KerasTensor
    from edgeseg.devices.types import Json

# Name of an alignment -> (align_corners, half_pixel_centers)
ALIGNMENTS = {
    "align-corners": (True, False),
    "half-pixel": (False, True),
    "legacy": (False, False),
}


def register() -> None:
    """Let ``keras.models.load_model`` know ``edgeseg>BilinearResize``."""
    bilinear_resize_layer()


def resize_to(
    x: KerasTensor, size_hw: tuple[int, int], resize: str, *, name: str
) -> KerasTensor:
    """Return a Keras tensor resized by a `BilinearResize` layer.

    Parameters
    ----------
    x : keras.KerasTensor
        ``(N, h, w, C)``, h and w fixed.
    size_hw : (int, int)
        Height and width of the result.
    resize : {"align-corners", "half-pixel", "legacy"}
        The alignment.
    name : str
        Of the layer.

    Raises
    ------
    InputError
        There is no alignment of that name.
    """
    if resize not in ALIGNMENTS:
        raise InputError(
            f"resize must be one of {', '.join(ALIGNMENTS)}; got {resize!r}"
        )
    corners, half_pixel = ALIGNMENTS[resize]
    layer = bilinear_resize_layer()(
        *size_hw, align_corners=corners, half_pixel_centers=half_pixel, name=name
    )
    return layer(x)


def interpolate(
    x: KerasTensor, size_hw: tuple[int, int], corners: bool, half: bool
) -> KerasTensor:
    """Resize with gathers and weights that are known beforehand.

    Parameters
    ----------
    x : tensor of any Keras backend
        ``(N, h, w, C)`` of a float type, h and w fixed.
    size_hw : (int, int)
        Height and width of the result.
    corners, half : bool
        ``align_corners`` and ``half_pixel_centers``.

    Returns
    -------
    tensor
        ``(N, H, W, C)`` of the same type.
    """
    ops = need("keras").ops
    for axis, length in ((2, size_hw[1]), (1, size_hw[0])):
        lower, upper, share = neighbours(x.shape[axis], length, corners, half)
        shape = [1, 1, 1, 1]
        shape[axis] = length
        weight = ops.cast(share.reshape(shape), x.dtype)
        first, second = ops.take(x, lower, axis=axis), ops.take(x, upper, axis=axis)
        x = first + (second - first) * weight
    return x


def neighbours(
    cells: int, length: int, corners: bool, half: bool
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """Return what each output cell of one axis reads.

    Parameters
    ----------
    cells, length : int
        Cells of the input and of the output along the axis.
    corners, half : bool
        ``align_corners`` and ``half_pixel_centers``.

    Returns
    -------
    lower, upper : ndarray
        ``(length,)`` int32 indices of the two input cells.
    share : ndarray
        ``(length,)`` float32, 0..1: weight of the upper one.

    Examples
    --------
    >>> lower, upper, share = neighbours(2, 3, corners=True, half=False)
    >>> lower.tolist(), upper.tolist(), share.tolist()
    ([0, 0, 1], [1, 1, 1], [0.0, 0.5, 0.0])
    """
    import numpy as np

    index = np.arange(length, dtype=np.float64)
    if corners:
        position = index * (cells - 1) / max(length - 1, 1)
    elif half:
        position = (index + 0.5) * cells / length - 0.5
    else:
        position = index * cells / length
    position = position.clip(0, cells - 1)
    lower = np.floor(position).astype(np.int32)
    upper = np.minimum(lower + 1, cells - 1)
    return lower, upper, (position - lower).astype(np.float32)


@cache
def bilinear_resize_layer() -> KerasClass:
    """Return the Keras layer class `BilinearResize`, made and registered once."""
    keras = need("keras")

    layer: KerasClass = keras.layers.Layer

    class BilinearResize(layer):  # type: ignore[misc]
        """Resize ``(N, h, w, C)`` to ``(N, height, width, C)``.

        Parameters
        ----------
        height, width : int
            Size of the result.
        align_corners, half_pixel_centers : bool
            The alignment, as TensorFlow names it; not both.
        **options
            Of ``keras.layers.Layer``.
        """

        def __init__(
            self,
            height: int,
            width: int,
            align_corners: bool = True,
            half_pixel_centers: bool = False,
            **options: object,
        ) -> None:
            super().__init__(**options)
            if align_corners and half_pixel_centers:
                raise InputError(
                    "BilinearResize: align_corners and half_pixel_centers exclude "
                    "each other, got both: choose one"
                )
            self.size_hw = (int(height), int(width))
            self.align_corners = bool(align_corners)
            self.half_pixel_centers = bool(half_pixel_centers)

        def call(self, inputs: KerasTensor) -> KerasTensor:
            flags = (self.align_corners, self.half_pixel_centers)
            if keras.backend.backend() == "tensorflow":
                return _tensorflow_resize(inputs, self.size_hw, *flags)
            return interpolate(inputs, self.size_hw, *flags)

        def compute_output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
            return (input_shape[0], *self.size_hw, input_shape[3])

        def get_config(self) -> Json:
            return {
                **super().get_config(),
                "height": self.size_hw[0],
                "width": self.size_hw[1],
                "align_corners": self.align_corners,
                "half_pixel_centers": self.half_pixel_centers,
            }

    return keras.saving.register_keras_serializable("edgeseg")(BilinearResize)


def __getattr__(name: str) -> KerasClass:
    if name == "BilinearResize":
        return bilinear_resize_layer()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _tensorflow_resize(
    x: KerasTensor, size_hw: tuple[int, int], *flags: bool
) -> KerasTensor:
    """Resize with the one operator that TFLite knows as RESIZE_BILINEAR."""
    tf = need("tensorflow")
    corners, half_pixel = flags
    resized = tf.raw_ops.ResizeBilinear(
        images=x, size=size_hw, align_corners=corners, half_pixel_centers=half_pixel
    )
    return tf.cast(resized, x.dtype)
