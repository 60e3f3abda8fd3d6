"""A better model, run on the pictures as the training sees them (distillation).

References
----------
G. Hinton, O. Vinyals, J. Dean, "Distilling the Knowledge in a Neural Network", 2015.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from edgeseg.converter.conversion.keras_device import open_keras
from edgeseg.converter.training.data.classes import id_table
from edgeseg.devices import InputError
from edgeseg.devices.base import Closing
from edgeseg.runtime import Overrides, Segmenter
from edgeseg.runtime.model.embedded import sha256
from edgeseg.runtime.model.labels import VOID
from edgeseg.runtime.segmentation.grid_axis import grid_coordinates
from edgeseg.runtime.segmentation.letterbox import Letterbox
from edgeseg.runtime.shipped import find_model

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.converter.training.data.augmentation import View
    from edgeseg.devices.types import Array

_VOC = 21  # classes of PASCAL VOC


class Taught(Protocol):
    """What a training asks for answers: `Teacher`, or `SoftAnswers`."""

    def answer(
        self,
        name: str,
        frame: NDArray[np.uint8],
        view: View,
        hw: tuple[int, int],
        every: int,
    ) -> NDArray[np.float32]:
        """Return probabilities ``(h, w, C)`` for a view of a picture, as it is shown.

        Parameters
        ----------
        name : str
            The picture.
        frame : ndarray
            ``(H, W, 3)`` uint8 RGB: what the network in training is shown.
        view : View
            What was taken of the picture.
        hw : (int, int)
            Height and width of the whole picture.
        every : int
            Answer for one row and one column of the frame in so many.
        """

    def check(self, names: Sequence[str]) -> None:
        """Raise `InputError` where a picture has no answer."""

    def digest(self) -> str:
        """Return a hash by which a training that goes on knows its teacher."""

    def close(self) -> None:
        """Free what is open."""


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
        self._matrix = merging(labels, classes)
        self._table = id_table(labels, classes, "the teacher")
        self._lock = threading.Lock()
        self._digest = ""

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
        path = find_model(path)
        segmenter = with_voc_names(lambda names: _open(path, names), labels)
        try:
            teacher = cls(segmenter, classes)
        except BaseException:
            segmenter.close()
            raise
        teacher._digest = sha256(path)
        return teacher

    def answer(
        self,
        name: str,
        frame: NDArray[np.uint8],
        view: View,
        hw: tuple[int, int],
        every: int,
    ) -> NDArray[np.float32]:
        """Return the answer for what is shown; see `Taught.answer`."""
        return self.probabilities(frame)[::every, ::every]

    def check(self, names: Sequence[str]) -> None:
        """Do nothing: it answers for every picture."""

    def digest(self) -> str:
        """Return the SHA-256 of its file."""
        return self._digest

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
            classes = self._matrix.shape[1]
            return np.eye(VOID + 1, classes, dtype=np.float32)[ids]
        shares = _softmax(_scores(segmenter, output)) @ self._matrix
        return _interpolated(shares, hw, hw, segmenter)

    def close(self) -> None:
        """Close the segmenter."""
        self._segmenter.close()


def merging(labels: Sequence[str], classes: Sequence[str]) -> NDArray[np.float32]:
    """Return the matrix ``(known, to be learnt)`` that adds up a teacher's shares.

    Parameters
    ----------
    labels : sequence of str
        What the teacher knows.
    classes : sequence of str
        Classes to be learnt; all others of the teacher's count as background.

    Raises
    ------
    InputError
        The teacher does not know a class to be learnt.

    Examples
    --------
    >>> merging(("background", "cat", "dog"), ("background", "dog")).tolist()
    [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    """
    import numpy as np

    table = id_table(labels, classes, "the teacher")[: len(labels)]
    unknown = [name for index, name in enumerate(classes) if index not in table]
    if unknown:
        raise InputError(
            f"the teacher does not know {', '.join(unknown)}: it would unteach "
            f"them; it knows {', '.join(labels)}"
        )
    return np.eye(len(classes), dtype=np.float32)[table]


def answer_on(
    segmenter: Segmenter, frame: NDArray[np.uint8], grid: tuple[int, int]
) -> NDArray[np.float32]:
    """Return probabilities ``(*grid, C)`` on a grid that covers a frame evenly.

    Parameters
    ----------
    segmenter : Segmenter
        Open, with scores.
    frame : ndarray
        ``(H, W, 3)`` uint8 RGB.
    grid : (int, int)
        Height and width of the grid.
    """
    shares = _softmax(_scores(segmenter, segmenter.infer(segmenter.tensor(frame))))
    return _interpolated(shares, (frame.shape[0], frame.shape[1]), grid, segmenter)


def with_voc_names(
    opening: Callable[[str | None], Segmenter], labels: str | None
) -> Segmenter:
    """Open a segmenter; one of 21 classes without names gets PASCAL VOC's.

    The public VOC models, which give 21 scores or ids, have none.

    Parameters
    ----------
    opening : callable
        Opens it with the names of its classes, or with None.
    labels : str or None
        The names, where they are known.
    """
    opened = opening(labels)
    if opened.manifest.labels or opened.head.kind not in ("logits", "labels"):
        return opened
    if opened.head.classes in (0, _VOC):
        opened.close()
        return opening("pascal-voc")
    return opened


def _open(path: Path, labels: str | None) -> Segmenter:
    if path.suffix == ".tflite":
        return Segmenter.open(path, overrides=Overrides(labels=labels))
    return open_keras(path, Overrides(labels=labels))


def _scores(segmenter: Segmenter, output: Array) -> NDArray[np.float32]:
    """Return an output as scores ``(h, w, C)`` float32."""
    import numpy as np

    scores: NDArray[np.float32] = segmenter.output.dequantize(output)[0]
    if segmenter.head.channel_axis == 1:
        scores = np.moveaxis(scores, 0, -1)
    return scores


def _softmax(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares: NDArray[np.float32] = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def _interpolated(
    shares: NDArray[np.float32],
    hw: tuple[int, int],
    grid: tuple[int, int],
    segmenter: Segmenter,
) -> NDArray[np.float32]:
    """Bring probabilities to a grid over a frame, as scores are brought to pixels."""
    import numpy as np

    placement = Letterbox.of(hw, segmenter.input_hw, segmenter.manifest.fit)
    rows, columns = (
        _weights(
            grid[i],
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
