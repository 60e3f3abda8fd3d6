"""A data set written anew, in the plain layout or in CVAT's."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, OutputError
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.accuracy.dataset import picture_with_truth
from edgeseg.runtime.annotations.splits import WHOLE, usual_name
from edgeseg.runtime.drawing.overlay import colour_table
from edgeseg.runtime.model.labels import VOID, label_set_of
from edgeseg.runtime.pictures.atomic import write_text
from edgeseg.runtime.pictures.files import SUFFIXES, write_ids, write_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.accuracy.dataset import Dataset

LAYOUTS = ("plain", "cvat")
_VOID_COLOUR = (224, 224, 192)  # PASCAL VOC's


def write_copy(
    datasets: Sequence[tuple[str, Dataset]],
    folder: Path,
    layout: str,
    *,
    progress: Callable[[int], None],
) -> int:
    """Write pictures and masks of some splits into a new folder; return their number.

    The plain layout is ``images/``, ``masks/`` (palette PNGs), ``labels.txt`` and a
    list for each split. CVAT's is what "Segmentation mask 1.1" imports, with
    ``SegmentationClass`` in colour, ``labelmap.txt``, ``ImageSets`` and ``JPEGImages``.
    Picture files are copied as they are.

    Parameters
    ----------
    datasets : sequence of (str, Dataset)
        Splits with their names; all have the same classes.
    folder : Path
        Not there, or empty. It is complete in the end, or as it was.
    layout : str
        One of `LAYOUTS`.
    progress : callable
        Called with the number of pictures that are done.

    Raises
    ------
    InputError
        A picture or mask cannot be used.
    OutputError
        The folder is not empty, or cannot be written.
    """
    _check_same_classes(datasets)
    names = _new_names(datasets)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise OutputError(f"cannot write {folder}: expected a new or empty folder")
        parent = folder.absolute().parent
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=parent) as name:
            made = Path(name) / folder.name
            done = _write(datasets, names, made, layout, progress)
            if folder.exists():
                folder.rmdir()
            made.replace(folder)
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {reason_of(error)}") from error
    return done


def _write(
    datasets: Sequence[tuple[str, Dataset]],
    names: dict[tuple[str, str], str],
    folder: Path,
    layout: str,
    progress: Callable[[int], None],
) -> int:
    labels = datasets[0][1].labels
    palette = _palette(labels)
    images, masks, lists = (
        ("images", "masks", "")
        if layout == "plain"
        else ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation")
    )
    done, has_void = 0, False
    for split, dataset in datasets:
        for name in dataset.ids:
            new = names[split, name]
            frame, truth = picture_with_truth(dataset, name)
            _copy_picture(dataset.picture_path(name), frame, folder / images / new)
            mask = folder / masks / f"{new}.png"
            if layout == "plain":
                write_ids(mask, truth, palette)
            else:
                write_picture(mask, palette[truth])
            has_void |= bool((truth == VOID).any())
            done += 1
            progress(done)
        listed = "".join(f"{names[split, name]}\n" for name in dataset.ids)
        new_split = usual_name(split)
        if new_split != WHOLE or lists:
            file = "default" if new_split == WHOLE else new_split
            write_text(folder / lists / f"{file}.txt", listed)
    if layout == "plain":
        write_text(folder / "labels.txt", "\n".join(labels) + "\n")
    else:
        write_text(folder / "labelmap.txt", _labelmap(labels, palette, has_void))
    return done


def _copy_picture(source: Path, frame: NDArray[np.uint8], target: Path) -> None:
    """Copy a picture file; one that is inside of another file is written as PNG."""
    if source.suffix.lower() not in SUFFIXES:
        write_picture(Path(f"{target}.png"), frame)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, f"{target}{source.suffix.lower()}")


def _palette(labels: tuple[str, ...]) -> NDArray[np.uint8]:
    table = colour_table(label_set_of(labels).palette)
    table[VOID] = _VOID_COLOUR
    return table


def _labelmap(
    labels: tuple[str, ...], palette: NDArray[np.uint8], has_void: bool
) -> str:
    """Return CVAT's list of colours; it knows void as a label like others."""
    rows = [
        f"{name}:{','.join(str(int(value)) for value in palette[class_id])}::"
        for class_id, name in enumerate(labels)
    ]
    if has_void:
        rows.append(f"ignored:{','.join(map(str, _VOID_COLOUR))}::")
    return "\n".join(["# label:color_rgb:parts:actions", *rows, ""])


def _check_same_classes(datasets: Sequence[tuple[str, Dataset]]) -> None:
    first, labels = datasets[0][0], datasets[0][1].labels
    for split, dataset in datasets[1:]:
        if dataset.labels != labels:
            raise InputError(
                f"the splits {first!r} and {split!r} name other classes "
                f"({', '.join(labels[:6])} and {', '.join(dataset.labels[:6])}): "
                "choose one with --split"
            )


def _new_names(datasets: Sequence[tuple[str, Dataset]]) -> dict[tuple[str, str], str]:
    """Return a file name for each picture: its own, with its split where that helps."""
    keys = [(split, name) for split, dataset in datasets for name in dataset.ids]
    for made in (
        {key: key[1].replace("/", "_") for key in keys},
        {key: f"{key[0]}_{key[1]}".replace("/", "_") for key in keys},
    ):
        if len(set(made.values())) == len(keys):
            return made
    raise InputError(
        "two pictures would get one name, as in a/b and a_b: expected names that differ"
    )
