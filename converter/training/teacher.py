"""A better model, run on the pictures as the training sees them (distillation).

References
----------
G. Hinton, O. Vinyals, J. Dean, "Distilling the Knowledge in a Neural Network", 2015.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.converter.conversion.keras_device import open_keras
from edgeseg.converter.training.data.classes import id_table
from edgeseg.devices import InputError
from edgeseg.devices.base import Closing
from edgeseg.runtime import Overrides, Segmenter
from edgeseg.runtime.model.labels import VOID
from edgeseg.runtime.segmentation.grid_axis import grid_coordinates
from edgeseg.runtime.segmentation.letterbox import Letterbox
from edgeseg.runtime.shipped import find_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


class Teacher(Closing):
    """A segmenter that answers with probabilities of the classes to be learnt.

    Safe to use from several threads, one at a time.

    Parameters
    ----------
    segmenter : Segmenter
        Open, with labels; closed together with the teacher.
    classes : sequence of str
        Classes to be learnt; what the teacher knows beyond them is background.

    Raises
    ------
    InputError
        Its labels are unknown, or do not cover a class to be learnt.
    """

    def __init__(self, segmenter: Segmenter, classes: Sequence[str]) -> None:
        labels = segmenter.manifest.labels
        if not labels:
            raise InputError(
                "the teacher does not say what its classes are: name them with "
                "--teacher-labels"
            )
        self._segmenter = segmenter
        self._table = id_table(labels, classes, "the teacher")
        unknown = [
            name
            for index, name in enumerate(classes)
            if index not in self._table[: len(labels)]
        ]
        if unknown:
            raise InputError(
                f"the teacher does not know {', '.join(unknown)}: it would unteach "
                f"them; it knows {', '.join(labels)}"
            )
        self._classes = len(classes)
        self._lock = threading.Lock()

    @classmethod
    def open(
        cls, path: Path | str, classes: Sequence[str], labels: str | None
    ) -> Teacher:
        """Open a ``.tflite`` file, or any Keras model.

        Parameters
        ----------
        path : Path
            The model.
        classes : sequence of str
            Classes to be learnt.
        labels : str or None
            Names of the teacher's classes, where its file has none; 21 of them
            are taken to be PASCAL VOC's.
        """
        segmenter = _open(path, labels)
        try:
            return cls(segmenter, classes)
        except BaseException:
            segmenter.close()
            raise

    def probabilities(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return what the teacher thinks of a frame.

        Parameters
        ----------
        frame : ndarray
            ``(H, W, 3)`` uint8 RGB: what the network in training is shown.

        Returns
        -------
        ndarray
            ``(H, W, C)`` float32 over the classes to be learnt. A teacher that gives
            class ids alone is sure of each.
        """
        import numpy as np

        segmenter = self._segmenter
        hw = (frame.shape[0], frame.shape[1])
        with self._lock:
            output = segmenter.infer(segmenter.tensor(frame))
        if segmenter.head.kind != "logits":
            with self._lock:
                ids = self._table[segmenter.ids_from(output, hw)]
            return np.eye(VOID + 1, self._classes, dtype=np.float32)[ids]
        scores = segmenter.output.dequantize(output)[0]
        if segmenter.head.channel_axis == 1:
            scores = np.moveaxis(scores, 0, -1)
        shares = self._merged(_softmax(scores))
        return _interpolated(shares, hw, segmenter)

    def close(self) -> None:
        """Close the segmenter."""
        self._segmenter.close()

    def _merged(self, shares: NDArray[np.float32]) -> NDArray[np.float32]:
        """Add up the teacher's classes that count as one."""
        import numpy as np

        count = shares.shape[-1]
        matrix = np.zeros((count, self._classes), np.float32)
        matrix[np.arange(count), self._table[:count]] = 1
        merged: NDArray[np.float32] = shares @ matrix
        return merged


def _open(path: Path | str, labels: str | None) -> Segmenter:
    path = find_model(path)
    if path.suffix == ".tflite":
        opened = Segmenter.open(path, overrides=Overrides(labels=labels))
    else:
        opened = open_keras(path, Overrides(labels=labels))
    if opened.manifest.labels or opened.head.kind not in ("logits", "labels"):
        return opened
    # no names: the public VOC models, which give 21 scores or ids, have none
    if opened.head.classes in (0, 21):
        opened.close()
        return _open(path, "pascal-voc")
    return opened


def _softmax(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares: NDArray[np.float32] = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def _interpolated(
    shares: NDArray[np.float32], hw: tuple[int, int], segmenter: Segmenter
) -> NDArray[np.float32]:
    """Bring a grid of probabilities to a frame's pixels, as scores are brought."""
    import numpy as np

    placement = Letterbox.of(hw, segmenter.input_hw, segmenter.manifest.fit)
    rows, columns = (
        _weights(
            hw[i],
            placement.scaled_hw[i],
            placement.input_hw[i],
            shares.shape[i],
            segmenter.manifest.resize,
        )
        for i in (0, 1)
    )
    across = np.matmul(columns, shares)  # (h, W, C)
    full: NDArray[np.float32] = np.tensordot(rows, across, axes=1)
    return full


def _weights(
    picture: int, scaled: int, canvas: int, grid: int, resize: str
) -> NDArray[np.float32]:
    """Return the matrix ``(picture, grid)`` of a linear interpolation."""
    import numpy as np

    position = grid_coordinates(picture, scaled, canvas, grid, resize)
    low = np.minimum(np.floor(position).astype(int), grid - 1)
    high = np.minimum(low + 1, grid - 1)
    share = (position - low).astype(np.float32)
    matrix = np.zeros((picture, grid), np.float32)
    index = np.arange(picture)
    np.add.at(matrix, (index, low), 1 - share)
    np.add.at(matrix, (index, high), share)
    return matrix
