"""Copies what a command reads to the board, and brings back what a run wrote.

What comes back is checked: each file is whole or not there.
"""

from __future__ import annotations

import glob
import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, OutputError
from edgeseg.devices.plain_text import printable
from edgeseg.runtime.capture.open import SOURCE_ADDRESSES, find_source
from edgeseg.runtime.model.embedded import sha256
from edgeseg.runtime.pictures.atomic import replacing
from edgeseg.runtime.remote.address import RemoteError
from edgeseg.runtime.remote.copying import Blob, ship_tree
from edgeseg.runtime.remote.landing import arrivals

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edgeseg.runtime.remote.landing import Arrival, RunOutput
    from edgeseg.runtime.remote.link import Link
    from edgeseg.runtime.remote.session import Session


_COMPILED = "_edgetpu"  # in the name of a file that an Edge TPU runs


def ship_model(session: Session, text: str) -> str:
    """Copy a model; the name of one that ships stays as it is.

    A model that was compiled for an Edge TPU takes the one beside it along that
    ``coral:or-cpu`` falls back to.

    Raises
    ------
    InputError
        There is no such file.
    """
    from edgeseg.runtime.shipped import is_shipped

    path = Path(text)
    if is_shipped(text):
        return text
    if not path.is_file():
        raise InputError(f"no such model file: {text}")
    beside = path.with_name(path.name.replace(_COMPILED, ""))
    return _ship(session, [path, beside] if beside.is_file() else [path], path)


def ship_path(session: Session, text: str) -> str:
    """Copy a file or a folder with all that is in it; other text stays as it is."""
    path = Path(text)
    if not path.exists():
        return text
    return _ship(session, [path] if path.is_file() else _files(path), path)


def ship_source(session: Session, text: str) -> str:
    """Copy pictures or a video; a camera or stream is the board's own.

    Raises
    ------
    InputError
        It is neither a file here nor a source there.
    """
    address = find_source(text)
    if address is None and "://" not in text:
        raise InputError(
            f"no such file or folder here, and no source there: {text}"
            f"{SOURCE_ADDRESSES.suggestion(text)}"
        )
    if address is None or address.path is None:
        return text
    path = Path(address.path)
    if path.is_dir():
        files, top = _files_that_end_in(address.kind.inside, path), path
    elif path.is_file():
        files, top = [path], path
    else:
        found = [Path(match) for match in glob.glob(address.path, recursive=True)]
        files = sorted(match for match in found if match.is_file())
        if not files and address.head:
            return text  # may be the board's own file
        top = _common(files)
    return address.with_path(_ship(session, files, top))


def ship_dataset(session: Session, text: str, split: str, labels: str | None) -> str:
    """Copy the pictures and masks of a split, and the lists of a data set.

    Raises
    ------
    InputError
        It is no data set, or has no such split; see `open_dataset`.
    """
    from edgeseg.runtime.accuracy.open import open_dataset

    root = Path(text)
    dataset = open_dataset(root, split, labels=labels)
    files = [dataset.picture_path(name) for name in dataset.ids]
    files += [dataset.truth_path(name) for name in dataset.ids]
    files += dataset.other_files()
    files += [*root.glob("*.txt"), *root.glob("ImageSets/Segmentation/*.txt")]
    return _ship(session, files, root)


def _ship(session: Session, files: Iterable[Path], top: Path) -> str:
    """Copy files below `top`, or `top` itself and its neighbours; return its place."""
    name = top.absolute().name or "files"
    if top.is_dir():
        named = {str(PurePosixPath(name, p.relative_to(top))): p for p in files}
    else:
        named = {path.name: path for path in files}
    folder = ship_tree(session, {key: Blob.of(path) for key, path in named.items()})
    return f"{folder}/{name}"


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _files_that_end_in(suffixes: tuple[str, ...], folder: Path) -> list[Path]:
    found = [path for path in _files(folder) if path.suffix.lower() in suffixes]
    if not found:
        raise InputError(
            f"no pictures in {folder}: expected files that end in "
            f"{', '.join(sorted(suffixes))}"
        )
    return found


def _common(files: list[Path]) -> Path:
    """Return the nearest folder that all files are in."""
    first = files[0].parent
    return next(
        folder
        for folder in (first, *first.parents)
        if all(path.is_relative_to(folder) for path in files)
    )


_PIECE = 1 << 16


def bring(session: Session, run: str, outputs: Sequence[RunOutput]) -> list[Path]:
    """Bring files and folders of a run here; return the files that were written.

    Parameters
    ----------
    session : Session
        The board.
    run : str
        Name of the run.
    outputs : sequence of RunOutput
        What to bring. The board's other files stay there.

    Raises
    ------
    OutputError
        A file cannot be written here.
    RemoteError
        A name leads elsewhere (then nothing is written), a file arrives damaged, or the
        connection cannot be kept.
    """
    offered = session.ask("results", run=run)["files"]
    try:
        wanted = arrivals(outputs, offered)
    except RemoteError as error:
        raise RemoteError(
            f"{session.address.host}: {error}; nothing is brought here, the files of "
            f"the run {run} stay there"
        ) from None
    _check_room(wanted)
    return [_fetch(session, run, each) for each in wanted]


def _fetch(session: Session, run: str, file: Arrival) -> Path:
    target = file.target()
    with replacing(target) as temporary:

        def step(link: Link) -> None:
            offset = temporary.stat().st_size
            left = link.ask("get", run=run, path=file.name, offset=offset)["payload"]
            if left != file.size - offset:
                raise _not_the_same(file)
            with temporary.open("ab") as written:
                while left:
                    piece = link.read(min(left, _PIECE))
                    left -= written.write(piece)
                    written.flush()  # a cut goes on after it
                    session.moved()

        session.persist(step)
        if sha256(temporary) != file.sha:
            raise _not_the_same(file)
    return target


def _not_the_same(file: Arrival) -> RemoteError:
    return RemoteError(
        f"{printable(file.name)} of {file.size} bytes arrived damaged, or still grows "
        "there: call again"
    )


def _check_room(wanted: list[Arrival]) -> None:
    """Raise where what is announced does not fit onto the disk here."""
    for output in {each.output for each in wanted}:
        size = sum(each.size for each in wanted if each.output == output)
        folder = output.here.absolute()
        while not folder.is_dir():
            folder = folder.parent
        free = shutil.disk_usage(folder).free
        if size > free:
            raise OutputError(
                f"cannot write {output.here}: the board has {size / 1e6:.0f} MB for "
                f"it, {free / 1e6:.0f} MB are free in {folder}"
            )


def place_there(local: str) -> str:
    """Return the path in a run's folder that stands for a path here.

    Examples
    --------
    >>> place_there("overlays/"), place_there("/tmp/a.mp4"), place_there("../a.png")
    ('overlays/', 'tmp/a.mp4', 'a.png')
    """
    parts = [part for part in Path(local).parts if part not in ("/", "..", ".")]
    return "/".join(parts or ["out"]) + "/" * local.endswith("/")
