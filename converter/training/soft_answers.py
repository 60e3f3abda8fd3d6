"""A teacher's answers kept in a folder, one file a picture.

``NAME.npz`` holds ``q``, ``(h, w, C)`` uint8: the root of each class's probability
times 255, so that small shares keep their digits, on a grid of a cell for 4x4 pixels of
the picture. ``answers.json`` says what made them. A training looks up the part that its
view of a picture shows, at no cost of another inference.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from edgeseg.converter.training.teacher import merging
from edgeseg.devices import InputError
from edgeseg.devices.archives import DAMAGED, check_methods, open_archive
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.model.labels import load_labels
from edgeseg.runtime.pictures.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.converter.training.data.augmentation import View
    from edgeseg.devices.types import Json

CELL = 4  # pixels of a picture that a cell of the grid covers, along each side
DESCRIPTION = "answers.json"
_VOC = 21
# What zipfile and numpy raise on a file that is not whole
_UNREADABLE: tuple[type[BaseException], ...] = (*DAMAGED, LookupError, TypeError)


class SoftAnswers:
    """A folder of answers as a teacher; safe to use from several threads.

    Parameters
    ----------
    folder : Path
        From `edgeseg.converter.training.asking.ask`.
    classes : sequence of str
        Classes to be learnt; what the answers know beyond them is background.
    labels : str or None
        Names of the answers' classes where the folder does not say them; 21 of them
        are taken to be PASCAL VOC's.

    Raises
    ------
    InputError
        It holds no answers, or their classes do not cover those to be learnt.
    """

    def __init__(
        self, folder: Path, classes: Sequence[str], labels: str | None
    ) -> None:
        self._folder = folder
        names = _labels(folder, labels)
        self._matrix = merging(names, classes)

    def answer(
        self,
        name: str,
        frame: NDArray[np.uint8],
        view: View,
        hw: tuple[int, int],
        every: int,
    ) -> NDArray[np.float32]:
        """Return the answer for what a view shows of a picture; see `Taught.answer`.

        Of the frame only its size counts; pixels outside of the picture get zeros.
        """
        import numpy as np

        shares = read_answer(self.path(name)) @ self._matrix
        shown = view.picture_coordinates((frame.shape[0], frame.shape[1]), every)
        inside = []
        for axis, centres in enumerate(shown):
            shares = _along(shares, axis, centres, hw[axis])
            inside.append((centres > -0.5) & (centres < hw[axis] - 0.5))
        seen = np.logical_and.outer(*inside)
        answer: NDArray[np.float32] = shares * seen[..., None]
        return answer

    def path(self, name: str) -> Path:
        """Return the file of a picture."""
        return answer_path(self._folder, name)

    def check(self, names: Sequence[str]) -> None:
        """Raise `InputError` where a picture has no answer."""
        missing = [name for name in names if not self.path(name).is_file()]
        if missing:
            raise InputError(
                f"{self._folder} has no answers for {len(missing)} of {len(names)} "
                f"pictures, such as {missing[0]}: expected {self.path(missing[0])}"
            )

    def digest(self) -> str:
        """Return a hash of the description and of the files' names and lengths."""
        found = sorted(
            (str(path.relative_to(self._folder)), path.stat().st_size)
            for path in self._folder.rglob("*.npz")
        )
        said = description(self._folder)
        return hashlib.sha256(json.dumps([said, found]).encode()).hexdigest()

    def close(self) -> None:
        """Nothing is open between two answers."""


def answer_path(folder: Path, name: str) -> Path:
    """Return the file of a picture's answer."""
    return folder / f"{name}.npz"


def grid_hw(hw: tuple[int, int]) -> tuple[int, int]:
    """Return the grid of a picture.

    Examples
    --------
    >>> grid_hw((375, 500))
    (94, 125)
    """
    return -(-hw[0] // CELL), -(-hw[1] // CELL)


def write_answer(path: Path, shares: NDArray[np.float32]) -> None:
    """Write probabilities ``(h, w, C)`` as the module says."""
    import numpy as np

    roots = np.rint(np.sqrt(np.clip(shares, 0, 1)) * 255).astype(np.uint8)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, q=roots)


def read_answer(path: Path) -> NDArray[np.float32]:
    """Read probabilities ``(h, w, C)`` float32 that sum to 1.

    Raises
    ------
    InputError
        The file is missing or damaged.
    """
    import numpy as np

    try:
        with open_archive(path) as archive:
            check_methods(archive)
        with np.load(path, allow_pickle=False) as stored:
            roots = stored["q"]
        if roots.ndim != 3 or roots.dtype != np.uint8:
            raise ValueError(f"{roots.dtype} {roots.shape}")
    except FileNotFoundError as error:
        raise InputError(f"no answer of the teacher: {path} is missing") from error
    except _UNREADABLE as error:
        raise InputError(
            f"{path} holds no answer of a teacher ({reason_of(error)}): remove it and "
            "repeat the command that made it"
        ) from error
    shares = np.square(roots.astype(np.float32))
    total: NDArray[np.float32] = np.maximum(shares.sum(-1, keepdims=True), 1)
    normal: NDArray[np.float32] = shares / total
    return normal


def description(folder: Path) -> Json | None:
    """Return what a folder of answers says of itself, or None.

    Raises
    ------
    InputError
        It cannot be read.
    """
    path = folder / DESCRIPTION
    try:
        said: Json = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {reason_of(error)}") from error
    if not isinstance(said, dict):
        raise InputError(f"{path}: expected a JSON object")
    return said


def _labels(folder: Path, chosen: str | None) -> tuple[str, ...]:
    first = next(iter(sorted(folder.rglob("*.npz"))), None)
    if first is None:
        raise InputError(
            f"{folder} holds no answers of a teacher: expected a file NAME.npz for "
            "each picture"
        )
    count = read_answer(first).shape[-1]
    said = (description(folder) or {}).get("labels")
    if chosen is not None:
        names = load_labels(chosen).labels
    elif isinstance(said, list):
        names = tuple(map(str, said))
    else:
        names = load_labels("pascal-voc").labels if count == _VOC else ()
    if len(names) != count:
        raise InputError(
            f"the answers in {folder} are of {count} classes, and there are "
            f"{len(names)} names for them: give them with --teacher-labels"
        )
    return names


def _along(
    shares: NDArray[np.float32], axis: int, centres: NDArray[np.float64], length: int
) -> NDArray[np.float32]:
    """Interpolate along one axis at places of the picture, in its pixels."""
    import numpy as np

    cells = shares.shape[axis]
    place = np.clip((centres + 0.5) * (cells / length) - 0.5, 0, cells - 1)
    low = place.astype(np.intp)
    share = (place - low).astype(np.float32)
    share = share.reshape([-1 if i == axis else 1 for i in range(3)])
    first = np.take(shares, low, axis)
    second = np.take(shares, np.minimum(low + 1, cells - 1), axis)
    between: NDArray[np.float32] = first + (second - first) * share
    return between
