"""Copies files to the board: checked, resumed, whole or not there.

The board is asked how much of each file it has, the rest follows in one go without
waiting for answers, then it checks the SHA-256 of all and gives them their names. After
a cut the same begins again with what is missing.

Progress of a copy on standard error, where it takes long.
"""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.base import Closing
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.model.embedded import sha256
from edgeseg.runtime.remote.address import RemoteError
from edgeseg.runtime.terminal.progress import OverwrittenLine

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from edgeseg.runtime.remote.link import Link
    from edgeseg.runtime.remote.session import Session


_PIECE = 1 << 16
_ATTEMPTS = 3  # at a file that arrives damaged
_ROOM = 32 << 20  # bytes that stay free on the board


@dataclass(frozen=True)
class Blob:
    """A file to copy.

    Parameters
    ----------
    path : Path
        Where it is here.
    sha : str
        SHA-256 of its bytes, in hexadecimal.
    size : int
        Bytes.
    """

    path: Path
    sha: str
    size: int

    @classmethod
    def of(cls, path: Path) -> Blob:
        """Read a file.

        Raises
        ------
        InputError
            It cannot be read.
        """
        try:
            return cls(path, sha256(path), path.stat().st_size)
        except OSError as error:
            raise InputError(f"cannot read {path}: {reason_of(error)}") from error


def ship(session: Session, blobs: Iterable[Blob]) -> int:
    """Copy what the board does not have; return the bytes that were sent.

    Raises
    ------
    RemoteError
        There is no room, a file arrives damaged again and again, or the connection
        cannot be kept.
    """
    wanted = list({blob.sha: blob for blob in blobs}.values())
    copy = _Copy(session, wanted)
    for _ in range(_ATTEMPTS):
        damaged = session.persist(copy.attempt)
        if not damaged:
            return copy.sent
    names = ", ".join(blob.path.name for blob in wanted if blob.sha in damaged)
    raise RemoteError(
        f"{names} arrived damaged {_ATTEMPTS} times: is the board's disk sound, and "
        "does nobody write to the file here?"
    )


class _Copy:
    """What is to be copied, and how far it came."""

    def __init__(self, session: Session, blobs: Sequence[Blob]) -> None:
        self._session = session
        self._blobs = blobs
        self._known = 0  # bytes that the board had when it was asked last
        self.sent = 0

    def attempt(self, link: Link) -> list[str]:
        """Send what is missing; return the hashes of what arrived damaged."""
        asked = [[blob.sha, blob.size] for blob in self._blobs]
        state = link.ask("state", blobs=asked)
        missing = [
            (blob, offset)
            for blob, offset in zip(self._blobs, state["offsets"], strict=True)
            if offset >= 0
        ]
        self._note_progress(missing)
        if not missing:
            return []
        self._check_room(missing, state["free"])
        self._send(link, missing)
        answer = link.ask("commit", blobs=[[b.sha, b.size] for b, _ in missing])
        self._session.moved()
        return list(answer["damaged"])

    def _send(self, link: Link, missing: list[tuple[Blob, int]]) -> None:
        done = sum(offset for _, offset in missing)
        with TransferLine(sum(b.size for b, _ in missing), done, len(missing)) as line:
            for blob, offset in missing:
                if offset < blob.size:
                    self._put(link, blob, offset, line)

    def _put(self, link: Link, blob: Blob, offset: int, line: TransferLine) -> None:
        left = blob.size - offset
        with blob.path.open("rb") as file:
            file.seek(offset)
            link.send("put", sha=blob.sha, offset=offset, payload=left)
            while left:
                piece = file.read(min(left, _PIECE))
                if not piece:
                    raise InputError(f"{blob.path} became shorter while it was copied")
                link.send_bytes(piece)
                left -= len(piece)
                self.sent += len(piece)
                line.show(len(piece))

    def _note_progress(self, missing: list[tuple[Blob, int]]) -> None:
        left = sum(blob.size - offset for blob, offset in missing)
        known = sum(blob.size for blob in self._blobs) - left
        if known > self._known:
            self._session.moved()
        self._known = known

    def _check_room(self, missing: list[tuple[Blob, int]], free: int) -> None:
        needed = sum(blob.size - offset for blob, offset in missing)
        if needed + _ROOM > free:
            raise RemoteError(
                f"{self._session.address.host} has {free / 1e6:.0f} MB free, "
                f"{needed / 1e6:.0f} MB are to be copied and {_ROOM / 1e6:.0f} MB stay "
                "free: make room there"
            )


def tree_name(files: dict[str, Blob]) -> str:
    """Return the name of a folder that holds these files: made of what they are."""
    digest = hashlib.sha256()
    for name, blob in sorted(files.items()):
        digest.update(os.fsencode(name) + b"\0" + blob.sha.encode() + b"\0")
    return digest.hexdigest()[:32]


def ship_tree(session: Session, files: dict[str, Blob]) -> str:
    """Copy files and give them their names in a folder there; return its path.

    Parameters
    ----------
    session : Session
        The board.
    files : dict
        Path in the folder, with ``/``: file.
    """
    ship(session, files.values())
    named = [[name, blob.sha] for name, blob in sorted(files.items())]
    answer = session.ask("tree", name=tree_name(files), files=named)
    return str(answer["path"])


_LONG_S = 1.0
_EVERY_S = 0.2  # on a terminal
_SELDOM_S = 10.0  # elsewhere


class TransferLine(Closing):
    """One line that is written over on a terminal, a line now and then elsewhere.

    Parameters
    ----------
    total, done : int
        Bytes in all, and those that are there already.
    files : int
        How many files they are of.
    """

    def __init__(self, total: int, done: int, files: int) -> None:
        self._total = total
        self._done = self._there = done
        self._of = "1 file" if files == 1 else f"{files} files"
        self._line = OverwrittenLine()
        self._began = time.monotonic()
        self._next = self._began + _LONG_S

    def close(self) -> None:
        """Remove the line."""
        self._line.end()

    def show(self, count: int) -> None:
        """Note that so many bytes more were sent."""
        self._done += count
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (_EVERY_S if self._line.is_terminal else _SELDOM_S)
        self._line.write(self._text(now))

    def _text(self, now: float) -> str:
        rate = (self._done - self._there) / (now - self._began)
        left_s = (self._total - self._done) / rate
        return (
            f"copying {self._of}: {self._done / 1e6:.1f} of {self._total / 1e6:.1f} MB "
            f"at {rate / 1e6:.1f} MB/s, {left_s:.0f} s left"
        )
