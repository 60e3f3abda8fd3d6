"""Recognize constant pictures and noise among photos.

Both checks look at a picture averaged over square boxes to about 64 pixels on its
long side: averaging leaves the scene and removes a sensor's noise, and pure noise
stays as uncorrelated as it was. All three colour channels count, so that noise in
colour alone is seen too.

=====================================  ========  ===========
pictures (number)                      contrast  correlation
=====================================  ========  ===========
PASCAL VOC photos, calibration (120)   13..84    0.73..0.98
PASCAL VOC photos, val (225)           17..107   0.70..0.98
PASCAL VOC photos, train (3,140)       13..105   0.60..0.99
ADE20K photos (10)                     40..75    0.86..0.96
the demo's drawn scenes (64)           23..49    0.89..0.96
uniform and Gaussian noise, grey or    1..74     -0.04..0.12
in colour, PNG or JPEG of quality 75
to 95, 64x64 to 1920x1080 pixels
the same as JPEG of quality 30         1..74     -0.04..0.28
one colour with a sensor's noise       0..1      -0.02..0.02
=====================================  ========  ===========

Noise that was enlarged until its grains are a sixteenth of the picture or more is
as smooth as a photo out of focus and is not recognized.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Array

_SIDE = 64  # pixels on the long side, about
_LEAST_CORRELATION = 0.4  # between noise (0.28 at most) and photos (from 0.60)
_LEAST_CONTRAST = 4.0  # grey levels of 255; photos start at 13


@dataclass(frozen=True)
class Texture:
    """Contrast and correlation of a picture.

    Parameters
    ----------
    contrast : float
        Standard deviation after averaging, in grey levels of 255, over the three
        channels.
    raw_contrast : float
        The same before averaging.
    correlation : float
        Of neighbouring pixels after averaging, -1..1; 1 for a picture of one colour.
    """

    contrast: float
    raw_contrast: float
    correlation: float

    @property
    def fault(self) -> Literal["noise", "constant"] | None:
        """Why the picture says nothing about a camera's scenes; None for a photo."""
        if (
            self.correlation < _LEAST_CORRELATION
            and self.raw_contrast >= _LEAST_CONTRAST
        ):
            return "noise"
        return "constant" if self.contrast < _LEAST_CONTRAST else None


def measure_texture(frame: NDArray[np.uint8]) -> Texture:
    """Measure a picture's contrast and the likeness of neighbouring pixels.

    Parameters
    ----------
    frame : ndarray
        ``(H, W, 3)`` uint8 RGB, any size.
    """
    import numpy as np

    small = _averaged(frame)
    away = small - small.mean((0, 1))
    variance = float((away * away).mean())
    pairs = [away[:, 1:] * away[:, :-1], away[1:] * away[:-1]]
    products = np.concatenate([pair.ravel() for pair in pairs])
    flat = variance < 1e-6 or not products.size
    return Texture(
        contrast=variance**0.5,
        raw_contrast=float(frame.var((0, 1), dtype=np.float32).mean() ** 0.5),
        correlation=1.0 if flat else float(products.mean()) / variance,
    )


def _averaged(frame: NDArray[np.uint8]) -> Array:
    """Average square boxes: ``(H, W, 3)`` uint8 to ``(h, w, 3)`` float32."""
    import numpy as np

    box = max(1, round(max(frame.shape[:2]) / _SIDE))
    box = min(box, *frame.shape[:2])
    height, width = (side // box for side in frame.shape[:2])
    cut = frame[: height * box, : width * box]
    boxes = cut.reshape(height, box, width, box, 3)
    averaged: Array = boxes.mean((1, 3), dtype=np.float32)
    return averaged
