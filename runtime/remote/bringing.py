"""Brings what a run wrote back: checked, whole or not there."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import OutputError
from edgeseg.devices._printable import printable
from edgeseg.runtime.atomic import replacing
from edgeseg.runtime.modelfile import sha256
from edgeseg.runtime.remote.errors import RemoteError
from edgeseg.runtime.remote.landing import arrivals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeseg.runtime.remote.landing import Arrival, Output
    from edgeseg.runtime.remote.link import Link
    from edgeseg.runtime.remote.session import Session

_PIECE = 1 << 16


def bring(session: Session, run: str, outputs: Sequence[Output]) -> list[Path]:
    """Bring files and folders of a run here; return the files that were written.

    Parameters
    ----------
    session : Session
        The board.
    run : str
        Name of the run.
    outputs : sequence of Output
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
