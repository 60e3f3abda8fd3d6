"""From a picture to the input tensor: pure functions, RGB throughout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices import TensorSpec
    from edgeseg.devices.types import Array
    from edgeseg.runtime.model.manifest import Manifest


@dataclass(frozen=True)
class Letterbox:
    """Where a picture lies on the canvas that the network sees.

    Parameters
    ----------
    picture_hw : (int, int)
        Height and width of the picture in pixels.
    canvas_hw : (int, int)
        Height and width of the network's input.
    scaled_hw : (int, int)
        Height and width of the scaled picture, top left on the canvas.
    """

    picture_hw: tuple[int, int]
    canvas_hw: tuple[int, int]
    scaled_hw: tuple[int, int]


def place(
    picture_hw: tuple[int, int], canvas_hw: tuple[int, int], fit: str
) -> Letterbox:
    """Return how a picture of one size comes onto a canvas of another.

    Parameters
    ----------
    picture_hw, canvas_hw : (int, int)
        Heights and widths in pixels.
    fit : {"letterbox", "stretch"}
        Keep the aspect, or fill the canvas.

    Examples
    --------
    >>> place((375, 500), (513, 513), "letterbox").scaled_hw
    (385, 513)
    """
    if fit == "stretch":
        return Letterbox(picture_hw, canvas_hw, canvas_hw)
    scale = min(c / p for c, p in zip(canvas_hw, picture_hw, strict=True))
    height, width = (
        max(1, min(c, round(p * scale)))
        for c, p in zip(canvas_hw, picture_hw, strict=True)
    )
    return Letterbox(picture_hw, canvas_hw, (height, width))


def draw_canvas(
    frame: NDArray[np.uint8], placement: Letterbox, pad: int
) -> NDArray[np.uint8]:
    """Scale a picture bilinearly and pad it at the right and bottom.

    Parameters
    ----------
    frame : ndarray
        ``(H, W, 3)`` uint8, left as it is.
    placement : Letterbox
        For a picture of that size.
    pad : int
        Value of the padding, 0..255.

    Returns
    -------
    ndarray
        ``(*canvas_hw, 3)`` uint8, the frame itself where nothing is to be done.
    """
    if placement.picture_hw == placement.canvas_hw:
        return frame
    import cv2
    import numpy as np

    height, width = placement.scaled_hw
    scaled = cv2.resize(frame, (width, height), interpolation=cv2.INTER_LINEAR)
    if placement.scaled_hw == placement.canvas_hw:
        return np.asarray(scaled, np.uint8)
    canvas = np.full((*placement.canvas_hw, 3), pad, np.uint8)
    canvas[:height, :width] = scaled
    return canvas


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
