"""A look at every picture and every mask of a data set."""

from __future__ import annotations

import hashlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.plain_text import one_line
from edgeseg.runtime.model.labels import VOID
from edgeseg.runtime.pictures.files import SUFFIXES
from edgeseg.runtime.survey.doubles import Print, doubles_of, print_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json
    from edgeseg.runtime.accuracy.dataset import Dataset
    from edgeseg.runtime.survey.doubles import Double

_THREADS = 4
_MASKS = (".png", ".json", ".txt")  # files that hold the truth of one picture


@dataclass(frozen=True)
class SplitSurvey:
    """One split of a data set.

    Parameters
    ----------
    name : str
        The split.
    labels : tuple of str
        One a class id.
    pixels, pictures : tuple of int
        Of each class: its pixels, and the pictures that have any.
    void : int
        Pixels of no class.
    count : int
        Pictures.
    sizes : tuple of (int, int, int)
        Widths and heights with the number of pictures, the most frequent first.
    faults : tuple of str
        What is wrong with pictures and masks that cannot be used, a line each.
    """

    name: str
    labels: tuple[str, ...]
    pixels: tuple[int, ...]
    pictures: tuple[int, ...]
    void: int
    count: int
    sizes: tuple[tuple[int, int, int], ...]
    faults: tuple[str, ...]

    def to_dict(self) -> Json:
        """Return JSON values."""
        rows = zip(self.labels, self.pixels, self.pictures, strict=True)
        return {
            "split": self.name,
            "pictures": self.count,
            "classes": [
                {"id": i, "label": label, "pixels": pixels, "pictures": pictures}
                for i, (label, pixels, pictures) in enumerate(rows)
            ],
            "void_pixels": self.void,
            "sizes": [
                {"width": w, "height": h, "pictures": n} for w, h, n in self.sizes
            ],
            "faults": list(self.faults),
        }


@dataclass(frozen=True)
class Survey:
    """A data set.

    Parameters
    ----------
    root : str
        Its folder.
    layout : str
        How that is laid out.
    splits : tuple of SplitSurvey
        Those that were looked at.
    doubles : tuple of Double
        Pictures that are there twice, those in two splits first.
    unused_pictures, unused_masks : tuple of str
        Files beside those of the splits that belong to none: pictures without a mask,
        masks without a picture.
    """

    root: str
    layout: str
    splits: tuple[SplitSurvey, ...]
    doubles: tuple[Double, ...]
    unused_pictures: tuple[str, ...]
    unused_masks: tuple[str, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong in any split."""
        return tuple(fault for split in self.splits for fault in split.faults)

    def to_dict(self) -> Json:
        """Return JSON values."""
        return {
            "root": self.root,
            "layout": self.layout,
            "splits": [split.to_dict() for split in self.splits],
            "doubles": [double.to_dict() for double in self.doubles],
            "unused_pictures": list(self.unused_pictures),
            "unused_masks": list(self.unused_masks),
        }


@dataclass(frozen=True)
class _Seen:
    """What was found in one picture; `counts` is None where something is wrong."""

    counts: NDArray[np.int64] | None
    size_wh: tuple[int, int] | None
    print: Print | None
    fault: str


def survey(
    root: Path,
    datasets: Sequence[tuple[str, Dataset]],
    *,
    whole: bool,
    progress: Callable[[int], None],
) -> Survey:
    """Look at all pictures and masks of some splits.

    Parameters
    ----------
    root : Path
        The data set's folder.
    datasets : sequence of (str, Dataset)
        Splits with their names; pictures and masks may be missing.
    whole : bool
        These are all splits: what belongs to none of them is unused.
    progress : callable
        Called with the number of pictures that are done.
    """
    splits, prints, done = [], [], 0
    for name, dataset in datasets:
        seen = []
        with ThreadPoolExecutor(_THREADS) as pool:
            for one in pool.map(
                lambda key, data=dataset: _look(data, key), dataset.ids
            ):
                seen.append(one)
                done += 1
                progress(done)
        splits.append(_summary(name, dataset, seen))
        keys = zip(dataset.ids, seen, strict=True)
        prints += [(name, key, one.print) for key, one in keys if one.print is not None]
    pictures, masks = _unused([data for _, data in datasets]) if whole else ((), ())
    layout = datasets[0][1].LAYOUT
    return Survey(
        str(root), layout, tuple(splits), tuple(doubles_of(prints)), pictures, masks
    )


def _look(dataset: Dataset, name: str) -> _Seen:
    import numpy as np

    size, mark, faults = None, None, []
    try:
        frame = dataset.picture(name)
        size = frame.shape[1], frame.shape[0]
        mark = print_of(hashlib.sha256(frame.tobytes()).hexdigest(), frame)
    except InputError as error:
        faults.append(one_line(error))
    try:
        truth = dataset.truth(name)
    except InputError as error:
        return _Seen(None, size, mark, "; ".join([*faults, one_line(error)]))
    if size is not None and truth.shape != (size[1], size[0]):
        faults.append(
            f"picture and mask of {name} differ in size: {size[0]}x{size[1]} and "
            f"{truth.shape[1]}x{truth.shape[0]}"
        )
    counts = np.bincount(truth.ravel(), minlength=256)
    return _Seen(None if faults else counts, size, mark, "; ".join(faults))


def _summary(name: str, dataset: Dataset, seen: list[_Seen]) -> SplitSurvey:
    import numpy as np

    counts = [one.counts for one in seen if one.counts is not None]
    table = np.stack(counts) if counts else np.zeros((0, 256), np.int64)
    classes = len(dataset.labels)
    sizes = Counter(one.size_wh for one in seen if one.size_wh is not None)
    return SplitSurvey(
        name,
        dataset.labels,
        tuple(table.sum(axis=0)[:classes].tolist()),
        tuple((table > 0).sum(axis=0)[:classes].tolist()),
        int(table[:, VOID].sum()),
        len(seen),
        tuple((*size, count) for size, count in sizes.most_common()),
        tuple(one.fault for one in seen if one.fault),
    )


def _unused(datasets: list[Dataset]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return pictures and masks beside those of the splits that no split names."""
    pictures = {d.picture_path(n) for d in datasets for n in d.ids}
    truths = {d.truth_path(n) for d in datasets for n in d.ids}
    known = pictures | truths | {path for d in datasets for path in d.other_files()}
    of_masks = {path.parent for path in truths} - {path.parent for path in pictures}
    lone_pictures = [
        path
        for path in _beside({path.parent for path in pictures}, SUFFIXES)
        if path not in known
    ]
    suffixes = {path.suffix for path in truths} & set(_MASKS)
    # a file for all pictures stands beside those of other splits and tasks
    one_each = len(truths) * 2 > len(pictures) > 1
    lone_masks = [path for path in _beside(of_masks, suffixes) if path not in known]
    return tuple(map(str, lone_pictures)), tuple(map(str, lone_masks * one_each))


def _beside(folders: set[Path], suffixes: frozenset[str] | set[str]) -> list[Path]:
    return sorted(
        path
        for folder in folders
        for path in folder.glob("*")
        if path.suffix.lower() in suffixes and not path.name.startswith(".")
    )
