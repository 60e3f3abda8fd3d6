"""Pictures to calibration tensors, through the runtime's own preprocessing.

What is measured here decides every range of the int8 model, so the pictures are
chosen by rules that anyone can repeat (see `CalibrationSet.manifest`): files only,
in the order of their names, spread evenly, each decoded; never twice the same, never
one that the result will be scored on, never noise. A few constant frames, such as a
camera's first black ones, are left out and reported; many mean a wrong folder.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from edgeseg.converter.calibration._choice import PictureChoice, some, too_few
from edgeseg.converter.calibration.calibration_set import LEAST, MOST, CalibrationSet
from edgeseg.devices import InputError
from edgeseg.runtime.model.embedded import sha256
from edgeseg.runtime.pictures.files import read_picture, readable_suffixes
from edgeseg.runtime.pictures.formats import advice_for, left_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from edgeseg.converter.calibration.calibration_set import CalibrationPicture
    from edgeseg.devices.types import Array
    from edgeseg.runtime import Segmenter

_log = logging.getLogger(__name__)


def calibration_pictures(
    folder: Path,
    *,
    evaluation_ids: Iterable[str] = (),
    evaluation_pictures: Iterable[Path] = (),
    leave_out: Iterable[str] = (),
) -> CalibrationSet:
    """Choose the pictures to calibrate with: all of a folder, or 64 spread over it.

    Only those chosen are decoded, so that a folder of many thousands costs no more.

    Parameters
    ----------
    folder : Path
        Holds at least 32 photos; its sub-folders and hidden files are not looked at.
    evaluation_ids : iterable of str
        File names without suffix that the result will be scored on.
    evaluation_pictures : iterable of Path
        Their files: no chosen picture may be a copy of one under another name.
    leave_out : iterable of str
        File names without suffix that are passed over, as if they were not there.

    Raises
    ------
    InputError
        No such folder, too few pictures, one that cannot be decoded, noise, too many
        constant pictures, or pictures of the evaluation.
    """
    found = _listed(folder, frozenset(leave_out))
    ids = frozenset(evaluation_ids)
    _refuse_shared(folder, [path.name for path in found if path.stem in ids])
    choice = PictureChoice()
    for run in _runs(found):
        choice.take_first_good(run)
    choice.check(folder)
    _refuse_shared(folder, _copies(choice.taken, evaluation_pictures))
    return CalibrationSet(
        pictures=tuple(choice.taken),
        found=len(found),
        duplicates=tuple(choice.duplicates),
        constant=tuple(choice.constant),
        evaluation_ids=len(ids),
    )


class CalibrationTensors:
    """The input tensors of calibration pictures, made anew at each iteration.

    Parameters
    ----------
    segmenter : Segmenter
        Opened on the float model: its preprocessing is the board's.
    pictures : sequence of Path
        From `calibration_pictures`.
    """

    def __init__(self, segmenter: Segmenter, pictures: Sequence[Path]) -> None:
        self._segmenter = segmenter
        self._pictures = tuple(pictures)

    def __len__(self) -> int:
        return len(self._pictures)

    def __iter__(self) -> Iterator[Array]:
        for path in self._pictures:
            yield self._segmenter.tensor(read_picture(path))


def _listed(folder: Path, leave_out: frozenset[str]) -> list[Path]:
    if not folder.is_dir():
        raise InputError(f"no calibration folder {folder}: expected a folder of photos")
    suffixes = readable_suffixes()
    if others := left_out(folder.iterdir()):
        _log.warning("%s: left out are %s: %s", folder, others, advice_for(others))
    found = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in suffixes
        and not path.name.startswith(".")
        and path.stem not in leave_out
        and path.is_file()
    )
    if len(found) < LEAST:
        raise InputError(too_few(folder, len(found)))
    return found


def _runs(found: Sequence[Path]) -> Iterator[Sequence[Path]]:
    """Cut the list into at most 64 runs whose lengths differ by one at most."""
    count = min(MOST, len(found))
    for index in range(count):
        yield found[index * len(found) // count : (index + 1) * len(found) // count]


def _copies(
    taken: Sequence[CalibrationPicture], evaluation: Iterable[Path]
) -> list[str]:
    """Return names of taken pictures whose bytes stand in the evaluation too.

    Files are compared by length first, so that few of the evaluation are read.
    """
    names = {picture.sha256: picture.path.name for picture in taken}
    lengths = {picture.path.stat().st_size for picture in taken}
    same = (p for p in evaluation if p.is_file() and p.stat().st_size in lengths)
    digests = [sha256(path) for path in same] if names else []
    return [names[digest] for digest in digests if digest in names]


def _refuse_shared(folder: Path, names: Sequence[str]) -> None:
    if names:
        raise InputError(
            f"{len(names)} pictures of {folder} are also in the evaluation split "
            f"({some(names)}): calibrate with others, or the score means nothing"
        )
