"""A picture scaled and padded to the size of the network's input, RGB throughout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Self

    from edgeseg.devices import TensorSpec
    from edgeseg.devices.types import Array
    from edgeseg.runtime.model.manifest import Manifest


@dataclass(frozen=True)
class Letterbox:
    """Where a picture is placed on the network's input.

    Parameters
    ----------
    picture_hw : (int, int)
        Height and width of the picture in pixels.
    input_hw : (int, int)
        Height and width of the network's input.
    scaled_hw : (int, int)
        Height and width of the scaled picture, at the top left of the input.
    """

    picture_hw: tuple[int, int]
    input_hw: tuple[int, int]
    scaled_hw: tuple[int, int]

    @classmethod
    def of(
        cls, picture_hw: tuple[int, int], input_hw: tuple[int, int], fit: str
    ) -> Self:
        """Return how a picture of one size fits an input of another.

        Parameters
        ----------
        picture_hw, input_hw : (int, int)
            Heights and widths in pixels.
        fit : {"letterbox", "stretch"}
            Keep the aspect, or fill the input.

        Examples
        --------
        >>> Letterbox.of((375, 500), (513, 513), "letterbox").scaled_hw
        (385, 513)
        """
        if fit == "stretch":
            return cls(picture_hw, input_hw, input_hw)
        scale = min(i / p for i, p in zip(input_hw, picture_hw, strict=True))
        height, width = (
            max(1, min(i, round(p * scale)))
            for i, p in zip(input_hw, picture_hw, strict=True)
        )
        return cls(picture_hw, input_hw, (height, width))


def scale_and_pad(
    frame: NDArray[np.uint8], letterbox: Letterbox, pad: int
) -> NDArray[np.uint8]:
    """Scale a picture bilinearly and pad it at the right and bottom.

    Parameters
    ----------
    frame : ndarray
        ``(H, W, 3)`` uint8, left as it is.
    letterbox : Letterbox
        For a picture of that size.
    pad : int
        Value of the padding, 0..255.

    Returns
    -------
    ndarray
        ``(*input_hw, 3)`` uint8, the frame itself where nothing is to be done.
    """
    if letterbox.picture_hw == letterbox.input_hw:
        return frame
    import cv2
    import numpy as np

    height, width = letterbox.scaled_hw
    scaled = cv2.resize(frame, (width, height), interpolation=cv2.INTER_LINEAR)
    if letterbox.scaled_hw == letterbox.input_hw:
        return np.asarray(scaled, np.uint8)
    padded = np.full((*letterbox.input_hw, 3), pad, np.uint8)
    padded[:height, :width] = scaled
    return padded


def encoding_table(spec: TensorSpec, manifest: Manifest) -> Array:
    """Return what the input tensor stores for each pixel value and channel.

    Parameters
    ----------
    spec : TensorSpec
        The model's input.
    manifest : Manifest
        Gives mean and std.

    Returns
    -------
    ndarray
        ``(256, 3)`` of the input's dtype: normalized, quantized, clipped.
    """
    import numpy as np

    pixels = np.arange(256, dtype=np.float64)[:, None]
    real = (pixels - np.array(manifest.mean)) / np.array(manifest.std)
    return spec.quantize(real)
