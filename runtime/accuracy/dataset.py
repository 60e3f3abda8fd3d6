"""A data set: pictures with truth, and a hash that names it."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from edgeseg.devices import InputError
from edgeseg.devices.plain_text import encodable, reason_of
from edgeseg.runtime.model.labels import VOID
from edgeseg.runtime.pictures.files import SUFFIXES, read_ids, read_picture, size_hw

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


class Dataset(ABC):
    """Pictures and their true class ids, in a fixed order.

    ``PLUGIN.recognizes(root)`` says whether a folder has the layout, reading nothing
    but its listing; a folder has one layout at most. ``PLUGIN.splits(root)`` names the
    splits that are there. ``PLUGIN(root, split, labels)`` lists the pictures of one
    split, or raises `InputError`; ``labels``, a name or file for `load_labels`,
    replaces the layout's own. Pictures are opened only when they are asked for.

    A layout of masks says by `table` what their values are. A layout of outlines or
    colours overrides `truth`; see `edgeseg.runtime.annotations`.

    Attributes
    ----------
    LAYOUT : str
        What the layout looks like, for messages.
    """

    LAYOUT: ClassVar[str]
    _labels: tuple[str, ...]  # both are set by the layout's __init__
    _ids: tuple[str, ...]

    @abstractmethod
    def __init__(self, root: Path, split: str, labels: str | None = None) -> None: ...

    @classmethod
    @abstractmethod
    def recognizes(cls, root: Path) -> bool:
        """Return whether a folder has this layout."""

    @classmethod
    @abstractmethod
    def splits(cls, root: Path) -> tuple[str, ...]:
        """Return the names of the splits that are there, sorted; ``all`` for one."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the truth's class ids."""
        return self._labels

    @property
    def ids(self) -> tuple[str, ...]:
        """Names of the pictures of the split; a ``/`` in one stands for a folder."""
        return self._ids

    @abstractmethod
    def picture_path(self, name: str) -> Path:
        """Return the path of the file that a picture is in."""

    @abstractmethod
    def truth_path(self, name: str) -> Path:
        """Return the path of the file with a picture's truth: a mask, or outlines.

        Several pictures may have one file, such as COCO's.
        """

    def other_files(self) -> tuple[Path, ...]:
        """Return what else is read: lists of classes and colours.

        Text files in the root need not be named. A board gets pictures, truth and
        these.
        """
        return ()

    def picture(self, name: str) -> NDArray[np.uint8]:
        """Return a picture ``(H, W, 3)`` uint8 RGB, or raise `InputError`."""
        return read_picture(self.picture_path(name))

    def table(self, name: str) -> NDArray[np.int16]:
        """Return the class id of each value of a mask: ``(256,)`` int16.

        255 stands for void, -1 for a value that a mask must not hold. By default the
        values are the class ids.
        """
        return stored_as_is(len(self.labels))

    def truth(self, name: str) -> NDArray[np.uint8]:
        """Return a picture's class ids ``(H, W)`` uint8, 255 for void.

        Raises
        ------
        InputError
            The mask is missing, unreadable, in colour, or holds ids that have no
            label.
        """
        path = self.truth_path(name)
        return translated(path, read_ids(path), self.table(name), len(self.labels))


def picture_with_truth(
    dataset: Dataset, name: str
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return a picture ``(H, W, 3)`` uint8 RGB and its true ids ``(H, W)`` uint8.

    Raises
    ------
    InputError
        One of them is unusable, or they differ in size.
    """
    frame, truth = dataset.picture(name), dataset.truth(name)
    if truth.shape != frame.shape[:2]:
        raise InputError(
            f"picture and mask of {name} differ in size: "
            f"{frame.shape[1]}x{frame.shape[0]} and {truth.shape[1]}x{truth.shape[0]}"
        )
    return frame, truth


def picture_hw(dataset: Dataset, name: str) -> tuple[int, int]:
    """Return a picture's height and width as it is seen, from its header.

    Raises
    ------
    InputError
        It is no picture.
    """
    path = dataset.picture_path(name)
    if path.suffix.lower() not in SUFFIXES:  # kept in a file of annotations
        height, width, _ = dataset.picture(name).shape
        return height, width
    return size_hw(path)


def fingerprint(dataset: Dataset) -> str:
    """Return a SHA-256 over labels, names, and the bytes that each file takes.

    It says whether two runs, on two machines, saw the same pictures. Sizes instead of
    contents: a board would read gigabytes for the latter, and two photos or masks of
    equal size under one name are all but always the same.

    Parameters
    ----------
    dataset : Dataset
        Open.

    Raises
    ------
    InputError
        A picture or mask is missing.
    """
    digest = hashlib.sha256(json.dumps(dataset.labels).encode())
    for name in dataset.ids:
        try:
            picture = dataset.picture_path(name).stat().st_size
            mask = dataset.truth_path(name).stat().st_size
        except OSError as error:
            raise InputError(
                f"cannot read {error.filename}: {reason_of(error)}"
            ) from error
        digest.update(json.dumps([encodable(name), picture, mask]).encode())
    return digest.hexdigest()


def stored_as_is(count: int) -> NDArray[np.int16]:
    """Return the table of masks that hold class ids: ``(256,)`` int16.

    Parameters
    ----------
    count : int
        Number of labels; 255 is void, what is between is refused (-1).

    Examples
    --------
    >>> stored_as_is(2)[[0, 1, 2, 255]].tolist()
    [0, 1, -1, 255]
    """
    import numpy as np

    table = np.full(256, -1, np.int16)
    table[:count] = np.arange(count)
    table[VOID] = VOID
    return table


def translated(
    path: Path, stored: NDArray[np.uint8], table: NDArray[np.int16], count: int
) -> NDArray[np.uint8]:
    """Look every value of a mask up in a table of `Dataset.table`.

    Parameters
    ----------
    path : Path
        The mask's file, for the message.
    stored : ndarray
        ``(H, W)`` uint8.
    table : ndarray
        ``(256,)`` int16.
    count : int
        Number of labels, for the message.

    Raises
    ------
    InputError
        The mask holds values that it must not hold.
    """
    import numpy as np

    found = np.flatnonzero(np.bincount(stored.ravel(), minlength=256))
    strange = [int(value) for value in found if table[value] < 0]
    if strange:
        shown = strange if len(strange) <= 8 else [*strange[:8], "..."]
        raise InputError(
            f"{path}: ids {shown} are neither one of {count} labels nor void: expected "
            "a mask of class ids, or another label set"
        )
    return table[stored].astype(np.uint8)
