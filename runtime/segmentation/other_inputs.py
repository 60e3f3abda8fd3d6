"""Input tensors of grey networks, and of those that see the mask of the last frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from edgeseg.runtime.model.tensors import colours_of, input_hw_of, is_nchw
from edgeseg.runtime.segmentation.input_tensor import InputTensor
from edgeseg.runtime.segmentation.letterbox import encoding_table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices import TensorSpec
    from edgeseg.devices.types import Array
    from edgeseg.runtime.model.manifest import Manifest

# A network whose pixels reach further than this sees pixels rather than small numbers,
# and its mask is 0 and 255 rather than 0 and 1
_SMALL = 16.0


class TensorWriter(Protocol):
    """Writes pictures as the input tensor of one model."""

    def fill(
        self, frame: NDArray[np.uint8], mask: NDArray[np.float32] | None = None
    ) -> Array:
        """Return the tensor for a picture, in the memory of every call.

        Parameters
        ----------
        frame : ndarray
            ``(H, W, 3)`` uint8 RGB, left as it is.
        mask : ndarray or None
            ``(h, w)`` float32 0..1, of the input's size: where something was on the
            frame before. None is nowhere. Networks that see no mask pass over it.
        """


def tensor_writer(spec: TensorSpec, manifest: Manifest) -> TensorWriter:
    """Return what writes pictures as a model's input tensor.

    Parameters
    ----------
    spec : TensorSpec
        The input.
    manifest : Manifest
        How pixels are fed.
    """
    colours = colours_of(spec)
    if colours == 3:
        return _Colour(spec, manifest)
    return _Grey(spec, manifest) if colours == 1 else _WithMask(spec, manifest)


class _Colour:
    """The picture alone."""

    def __init__(self, spec: TensorSpec, manifest: Manifest) -> None:
        self._picture = _rgb(spec, manifest, channels_first=is_nchw(spec.shape))

    def fill(
        self, frame: NDArray[np.uint8], mask: NDArray[np.float32] | None = None
    ) -> Array:
        return self._picture.fill(frame)


class _Grey:
    """The brightness of a picture, as ITU-R BT.601 weighs its colours."""

    def __init__(self, spec: TensorSpec, manifest: Manifest) -> None:
        self._picture = _rgb(spec, manifest)
        self._shape = spec.shape

    def fill(
        self, frame: NDArray[np.uint8], mask: NDArray[np.float32] | None = None
    ) -> Array:
        import cv2
        import numpy as np

        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        alike = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)
        return self._picture.fill(alike)[..., :1].reshape(self._shape)


class _WithMask:
    """A picture and, as its fourth channel, the mask of the frame before."""

    def __init__(self, spec: TensorSpec, manifest: Manifest) -> None:
        import numpy as np

        self._spec = spec
        self._picture = _rgb(spec, manifest)
        self._first = is_nchw(spec.shape)
        self._tensor = np.empty((1, *input_hw_of(spec), 4), spec.dtype)
        self._full = 1.0 if 255 / abs(manifest.std[0]) <= _SMALL else 255.0

    def fill(
        self, frame: NDArray[np.uint8], mask: NDArray[np.float32] | None = None
    ) -> Array:
        import numpy as np

        tensor = self._tensor
        tensor[..., :3] = self._picture.fill(frame)
        there = np.zeros(tensor.shape[1:3], np.float32) if mask is None else mask
        tensor[..., 3] = self._spec.quantize(self._full * there)
        if self._first:
            return np.ascontiguousarray(tensor.transpose(0, 3, 1, 2))
        return tensor


def _rgb(
    spec: TensorSpec, manifest: Manifest, *, channels_first: bool = False
) -> InputTensor:
    table = encoding_table(spec, manifest)
    return InputTensor(
        input_hw_of(spec), table, manifest, channels_first=channels_first
    )
