"""The mask of the last frame, which some networks for video see beside the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.model.head import single_channel
from edgeseg.runtime.model.labels import background_ids

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Array
    from edgeseg.runtime.segmentation.segmenter import Segmenter


class PreviousMask:
    """Remembers what a model answered, as it wants to see it with the next frame.

    Parameters
    ----------
    segmenter : Segmenter
        Open, of a model that takes a mask.
    """

    def __init__(self, segmenter: Segmenter) -> None:
        self._segmenter = segmenter
        self.mask: NDArray[np.float32] | None = None

    def reset(self) -> None:
        """Forget it: the next frame is the first of another scene."""
        self.mask = None

    def keep(self, output: Array) -> Array:
        """Remember an output, and return it as it is."""
        self.mask = foreground(self._segmenter, output)
        return output


def foreground(segmenter: Segmenter, output: Array) -> NDArray[np.float32]:
    """Return where something else than background is, at the size of the input.

    Parameters
    ----------
    segmenter : Segmenter
        Of the model.
    output : ndarray
        What it gave; see `Segmenter.infer`.

    Returns
    -------
    ndarray
        ``(h, w)`` float32, 0..1: the probability that the model gives.
    """
    import cv2
    import numpy as np

    head, spec = segmenter.head, segmenter.output
    behind = (background_ids(segmenter.manifest.labels) or (0,))[0]
    if head.kind == "labels":
        found = (output.reshape(head.grid_hw) != behind).astype(np.float32)
    else:
        real = spec.dequantize(output)[0].astype(np.float32)
        scores = real if head.channel_axis == -1 else np.moveaxis(real, 0, -1)
        if head.classes > 1:
            found = 1 - _share(scores, behind)
        elif single_channel(output, head.kind) == "probability":
            found = scores[..., 0]
        else:
            found = 1 / (1 + np.exp(-scores[..., 0]))
    height, width = segmenter.input_hw
    if found.shape != (height, width):
        found = cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(found, np.float32)


def _share(scores: NDArray[np.float32], class_id: int) -> NDArray[np.float32]:
    """Return the probability of a class, of scores ``(h, w, C)`` or probabilities."""
    import numpy as np

    sums = scores.sum(axis=-1)
    if scores.min() >= 0 and np.abs(sums - 1).max() < 0.05:
        return scores[..., class_id]  # a softmax is in the network
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    share: NDArray[np.float32] = weights[..., class_id] / weights.sum(axis=-1)
    return share
