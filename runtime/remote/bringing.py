"""Brings what a run wrote back: checked, whole or not there."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from edgeseg.runtime.atomic import replacing
from edgeseg.runtime.modelfile import sha256
from edgeseg.runtime.remote.errors import RemoteError

if TYPE_CHECKING:
    from edgeseg.runtime.remote.link import Link
    from edgeseg.runtime.remote.session import Session

_PIECE = 1 << 16


def bring(session: Session, run: str, wanted: dict[str, Path]) -> list[Path]:
    """Bring files and folders of a run here; return the files that were written.

    Parameters
    ----------
    session : Session
        The board.
    run : str
        Name of the run.
    wanted : dict
        Path in the run's folder: path here.

    Raises
    ------
    OutputError
        A file cannot be written here.
    RemoteError
        One arrives damaged, or the connection cannot be kept.
    """
    written = []
    for path, size, sha in session.ask("results", run=run)["files"]:
        for there, here in wanted.items():
            if path == there or PurePosixPath(there) in PurePosixPath(path).parents:
                target = here / PurePosixPath(path).relative_to(there)
                _fetch(session, run, path, size, sha, target)
                written.append(target)
                break
    return written


def _fetch(
    session: Session, run: str, path: str, size: int, sha: str, target: Path
) -> None:
    with replacing(target) as temporary:

        def step(link: Link) -> None:
            offset = temporary.stat().st_size
            left = link.ask("get", run=run, path=path, offset=offset)["payload"]
            with temporary.open("ab") as file:
                while left:
                    piece = link.read(min(left, _PIECE))
                    left -= file.write(piece)
                    file.flush()  # a cut goes on after it
                    session.moved()

        session.persist(step)
        if sha256(temporary) != sha:
            raise RemoteError(
                f"{path} of {size} bytes arrived damaged, or still grows there: call "
                "again"
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
