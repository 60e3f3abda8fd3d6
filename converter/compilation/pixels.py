"""What a chip is given that normalizes pixels itself, and the manifest that says so."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Array
    from edgeseg.runtime import Manifest


def pixels_of(tensor: Array, manifest: Manifest) -> NDArray[np.uint8]:
    """Return the pixels behind what a network sees.

    Parameters
    ----------
    tensor : ndarray
        ``(N, H, W, 3)`` real values, ``(pixel - mean) / std``.
    manifest : Manifest
        Has mean and deviation of each colour, in the network's own order.

    Returns
    -------
    ndarray
        ``(N, H, W, 3)`` uint8.
    """
    import numpy as np

    real = tensor * np.array(manifest.std) + np.array(manifest.mean)
    pixels: NDArray[np.uint8] = np.rint(real).clip(0, 255).astype(np.uint8)
    return pixels


def pixel_manifest(manifest: Manifest) -> Manifest:
    """Return the manifest of the same network, to be fed with pixels."""
    return dataclasses.replace(manifest, mean=(0.0,) * 3, std=(1.0,) * 3)
