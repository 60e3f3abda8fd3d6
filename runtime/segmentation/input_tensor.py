"""The input tensor, written into the same memory for every picture.

Scaling, channel order and encoding each write where the next step reads; padding is
written when a picture of another size comes, not for every frame. Where the encoding
keeps the pixels' bytes, or only moves them by 128, the scaled picture is the tensor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.segmentation.letterbox import Letterbox

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Array
    from edgeseg.runtime.model.manifest import Manifest

# uint8 and int8 with the zero points 0 and -128 differ in the highest bit alone
_SIGN = 0x80


class InputTensor:
    """Writes pictures as the input tensor of one model.

    Parameters
    ----------
    input_hw : (int, int)
        Height and width of the network's input.
    table : ndarray
        ``(256, 3)`` what the tensor stores for a pixel, from `encoding_table`.
    manifest : Manifest
        Gives fit, padding and channel order.
    channels_first : bool
        Whether the tensor is ``(1, 3, H, W)``.
    """

    def __init__(
        self,
        input_hw: tuple[int, int],
        table: Array,
        manifest: Manifest,
        *,
        channels_first: bool = False,
    ) -> None:
        import numpy as np

        self._manifest = manifest
        self._table = table
        self._lookup = _as_bytes(_narrowest(table))[None]
        self._shift = _shift(table)
        self._letterbox: Letterbox | None = None
        self._image = np.empty((*input_hw, 3), table.dtype)
        self._planes = np.empty((3, *input_hw), table.dtype) if channels_first else None
        self._scaled: NDArray[np.uint8] | None = None
        self._swapped: NDArray[np.uint8] | None = None

    def fill(self, frame: NDArray[np.uint8]) -> Array:
        """Return the input tensor for a picture.

        Parameters
        ----------
        frame : ndarray
            ``(H, W, 3)`` uint8 RGB, left as it is.

        Returns
        -------
        ndarray
            ``(1, H, W, 3)`` or ``(1, 3, H, W)`` of the table's dtype. The memory is
            that of every call: copy what is to outlive the next one.
        """
        import numpy as np

        input_hw = (self._image.shape[0], self._image.shape[1])
        letterbox = Letterbox.of(
            (frame.shape[0], frame.shape[1]), input_hw, self._manifest.fit
        )
        if letterbox != self._letterbox:
            self._pad(letterbox)
        height, width = letterbox.scaled_hw
        self._encode(frame, self._image[:height, :width])
        if self._planes is None:
            return self._image[None]
        np.copyto(self._planes, self._image.transpose(2, 0, 1))
        return self._planes[None]

    def _pad(self, letterbox: Letterbox) -> None:
        import numpy as np

        height, width = letterbox.scaled_hw
        stored = self._table[self._manifest.pad]
        self._image[height:] = stored
        self._image[:height, width:] = stored
        self._letterbox = letterbox
        direct = self._shift is not None
        plain = self._manifest.channels == "rgb"
        shape = (height, width, 3)
        self._scaled = None if direct and plain else np.empty(shape, np.uint8)
        self._swapped = None if direct or plain else np.empty(shape, np.uint8)

    def _encode(self, frame: NDArray[np.uint8], region: Array) -> None:
        """Scale a picture into the tensor's region and encode it there."""
        import cv2
        import numpy as np

        stored = _as_bytes(region)
        pixels = self._resized(frame, stored)
        if self._manifest.channels == "bgr":
            target = stored if self._swapped is None else self._swapped
            pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR, dst=target)
        if self._shift is None:
            cv2.LUT(pixels, self._lookup, dst=stored)
        elif self._shift or pixels is frame:
            np.bitwise_xor(pixels, np.uint8(self._shift), out=stored)

    def _resized(self, frame: NDArray[np.uint8], stored: Array) -> NDArray[np.uint8]:
        import cv2

        height, width = stored.shape[:2]
        if frame.shape[:2] == (height, width):
            return frame
        target = stored if self._scaled is None else self._scaled
        cv2.resize(frame, (width, height), target, interpolation=cv2.INTER_LINEAR)
        return target


def _shift(table: Array) -> int | None:
    """Return the bits by which stored bytes differ from pixels, None for a table."""
    import numpy as np

    if table.itemsize != 1:
        return None
    pixels = np.arange(256, dtype=np.uint8)[:, None]
    for bits in (0, _SIGN):
        if (table.view(np.uint8) == pixels ^ np.uint8(bits)).all():
            return bits
    return None


def _narrowest(table: Array) -> Array:
    """Return one column where all are the same: OpenCV looks up faster in it."""
    same = bool((table == table[:, :1]).all())
    return table[:, :1].copy() if same else table


def _as_bytes(stored: Array) -> Array:
    """Return a view of a type that OpenCV copies without looking at its meaning."""
    return stored.view({1: "uint8", 2: "int16"}.get(stored.itemsize, stored.dtype))
