"""Files on the board by the SHA-256 of what is in them.

``blobs/SHA`` is whole and checked; ``parts/SHA`` is what has come so far. Writers put
bytes at their place and never truncate, so that two of the same file do no harm.
"""

import contextlib
import errno
import hashlib
import os
import shutil
from typing import Any, BinaryIO

PIECE = 1 << 16
_FEW = 16  # more files than this are flushed to the disk together


class BoardError(Exception):
    """What the workstation shows to its user, in one line."""


def root_folder() -> str:
    """Return where everything on the board is."""
    data = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    return os.path.join(data, "edgeseg", "remote")


def place(*parts: str) -> str:
    """Return a path under the root, its folder made."""
    path = os.path.join(root_folder(), *parts)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path


def one_name(name: str) -> str:
    """Return a name that is to stand below a folder, if it is one.

    Raises
    ------
    BoardError
        It leads elsewhere.
    """
    if not name or name[0] == "." or "/" in name or "\0" in name:
        raise BoardError("not a name: " + repr(name))
    return name


def offsets(blobs: "list[list[Any]]") -> "list[int]":
    """Return how many bytes of each blob are there, -1 where it is whole."""
    return [_offset(sha, size) for sha, size in blobs]


def _offset(sha: str, size: int) -> int:
    if _size(place("blobs", one_name(sha))) == size:
        return -1
    have = _size(place("parts", sha))
    if have > size:
        os.unlink(place("parts", sha))
    return have if 0 <= have <= size else 0


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return -1


def free_bytes() -> int:
    """Return how much room there is."""
    return shutil.disk_usage(os.path.dirname(place("blobs"))).free


def put(stream: BinaryIO, sha: str, offset: int, count: int) -> bool:
    """Write `count` bytes of the stream into a part; False where the stream ends.

    Raises
    ------
    BoardError
        The disk is full, or the part cannot be written. A part that filled the disk
        is removed.
    """
    path = place("parts", one_name(sha))
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o644), "wb") as part:
            part.seek(offset)
            return _pour(stream, part, count)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            os.unlink(path)
            raise BoardError("no room left in " + root_folder()) from error
        raise


def _pour(stream: BinaryIO, part: BinaryIO, count: int) -> bool:
    while count > 0:
        # as much as has come, so that a cut costs nothing that arrived
        piece = stream.read1(min(count, PIECE))  # type: ignore[attr-defined]
        if not piece:
            return False
        part.write(piece)
        count -= len(piece)
    return True


def commit(blobs: "list[list[Any]]") -> "list[str]":
    """Check parts, flush them and give them their names; return the damaged ones.

    A damaged part is removed: the workstation sends it again.
    """
    waiting = [sha for sha, size in blobs if _offset(sha, size) != -1]
    damaged = [sha for sha in waiting if sha256(place("parts", sha)) != sha]
    for sha in damaged:
        _remove(place("parts", sha))
    good = [sha for sha in waiting if sha not in set(damaged)]
    if len(good) > _FEW:
        os.sync()
    for sha in good:
        _finish(place("parts", sha), place("blobs", sha), flush=len(good) <= _FEW)
    return damaged


def _finish(part: str, blob: str, flush: bool) -> None:
    try:
        if flush:
            with open(part, "rb") as file:
                os.fsync(file.fileno())
        os.chmod(part, 0o444)
        os.replace(part, blob)
    except FileNotFoundError:
        if not os.path.exists(blob):  # else another connection was first
            raise


def sha256(path: str) -> str:
    """Return the SHA-256 of a file, empty where there is none."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            for piece in iter(lambda: file.read(1 << 20), b""):
                digest.update(piece)
    except FileNotFoundError:
        return ""
    return digest.hexdigest()


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def make_tree(name: str, files: "list[list[str]]") -> str:
    """Make a folder of blobs under names of their own; return its path.

    Parameters
    ----------
    name : str
        Of the folder; made of what is in it, so that one that is there is right.
    files : list of [path, sha]
        Paths are relative to the folder.
    """
    path = place("trees", one_name(name))
    if os.path.isdir(path):
        return path
    temporary = place("trees", f".{name}-{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    for relative, sha in files:
        if "\0" in relative or {"", ".", ".."} & set(relative.split("/")):
            raise BoardError("not a path inside a folder: " + repr(relative))
        target = os.path.join(temporary, relative)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        _link(place("blobs", one_name(sha)), target)
    try:
        os.rename(temporary, path)
    except OSError:
        shutil.rmtree(temporary)
        if not os.path.isdir(path):  # else another connection was first
            raise
    return path


def _link(blob: str, target: str) -> None:
    try:
        os.link(blob, target)
    except OSError:  # a file system without hard links
        shutil.copyfile(blob, target)
