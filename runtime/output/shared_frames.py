"""Frames in shared memory: how one is laid out, and how another program reads it.

A file in ``/dev/shm``, little-endian, which any language can map. It begins with a
header of 128 bytes::

    offset  type      what
         0  char[8]   "EDGESEG1"
         8  uint32    version of this layout: 1
        12  uint32    state: 1 live, 2 ended, 3 replaced (open the name again)
        16  uint32    width, pixels
        20  uint32    height, pixels
        24  uint32    slots: 3
        28  uint32    bytes of a slot
        32  uint64    count: frames written so far
        40  uint64    process id of the writer

and is followed by the slots. Frame number N (from 1) is in slot ``(N - 1) % slots``::

         0  float64   capture time, seconds since the source's first frame
         8  float64   capture time by the machine's CLOCK_MONOTONIC, seconds
        16  uint64    N
        64  uint8     ids, height x width
         .  uint8     the drawn picture, height x width x 3, RGB

The writer fills the slot of the oldest frame, then raises ``count``. A reader takes
``count``, copies that frame, takes ``count`` again: the copy is whole if it grew by at
most ``slots - 2``, else it reads again.
"""

from __future__ import annotations

import errno
import mmap
import os
import re
import stat
import struct
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.base import Closing
from edgeseg.devices.plain_text import reason_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAGIC, VERSION, SLOTS = b"EDGESEG1", 1, 3
LIVE, ENDED, REPLACED = 1, 2, 3
HEADER = struct.Struct("<8sIIIIIIQQ")
HEADER_BYTES, SLOT_HEADER_BYTES = 128, 64
STATE = struct.Struct("<I"), 12
COUNT = struct.Struct("<Q"), 32
SLOT = struct.Struct("<ddQ")
_FOLDER = Path("/dev/shm")
_POLL_S = 0.002


@dataclass(frozen=True)
class SharedFrame:
    """One frame of another process, copied.

    Parameters
    ----------
    number : int
        Counts from 1; a gap means frames that were not read in time.
    time_s : float
        Capture time in seconds since the source's first frame.
    captured_s : float
        Capture time by `time.monotonic`, which all processes of a machine share.
    ids : ndarray
        ``(H, W)`` uint8 class ids.
    picture : ndarray
        ``(H, W, 3)`` uint8 RGB as drawn.
    """

    number: int
    time_s: float
    captured_s: float
    ids: NDArray[np.uint8]
    picture: NDArray[np.uint8]


def shared_path(name: str) -> Path:
    """Return the file of a shared frame.

    Raises
    ------
    InputError
        The name has other characters than letters, digits, ``.``, ``_`` and ``-``.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
        raise InputError(
            "expected a name of letters, digits, '.', '_' and '-' for the shared "
            f"frame, such as shared:front-door, got {name!r}"
        )
    return _FOLDER / f"edgeseg-{name}"


def open_own_file(path: Path, owner: int | None = None) -> int:
    """Open a regular file of one user to read, without waiting or following a link.

    Parameters
    ----------
    path : Path
        In a folder where everybody may make files.
    owner : int or None
        User id; None is that of this process.

    Returns
    -------
    int
        A file descriptor.

    Raises
    ------
    OSError
        There is none, it is something else, or another user owns it or may write it.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    wanted = os.geteuid() if owner is None else owner
    try:
        found = os.lstat(path)
        _check_plain(found.st_mode)
        descriptor = os.open(path, flags)
    except PermissionError as error:
        raise OSError(errno.EACCES, "it belongs to another user") from error
    try:
        found = os.fstat(descriptor)
        _check_plain(found.st_mode)
        if found.st_uid != wanted:
            raise OSError(errno.EPERM, f"it belongs to another user ({found.st_uid})")
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise OSError(errno.EPERM, "other users may write it")
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _check_plain(mode: int) -> None:
    kinds = {stat.S_IFIFO: "named pipe", stat.S_IFLNK: "link", stat.S_IFDIR: "folder"}
    if not stat.S_ISREG(mode):
        kind = kinds.get(stat.S_IFMT(mode), "special file")
        raise OSError(errno.EINVAL, f"it is a {kind}, expected a file")


def slot_bytes(size_hw: tuple[int, int]) -> int:
    """Return the bytes of one slot, a multiple of 64."""
    return SLOT_HEADER_BYTES + -(-size_hw[0] * size_hw[1] * 4 // 64) * 64


def fence() -> None:
    """Keep this thread's memory accesses before and after the call in order.

    Processors such as ARM's reorder them. Releasing a lock orders what is before it,
    taking one what is after it.
    """
    lock = threading.Lock()
    lock.acquire()
    lock.release()
    lock.acquire()


class SharedFrameReader(Closing):
    """Reads what ``shared:NAME`` writes, in another process.

    Parameters
    ----------
    name : str
        NAME.
    owner : int or None
        User id of who shares it, for a reader that may read the files of others, such
        as root; None is the reader's own. Another user's file of that name is refused.

    Raises
    ------
    InputError
        Nothing of that name is shared, or by another version of edgeseg.

    Examples
    --------
    ::

        with SharedFrameReader("front-door") as reader:
            while (frame := reader.read()) is not None:
                print(frame.number, (frame.ids == 15).mean())
    """

    def __init__(self, name: str, *, owner: int | None = None) -> None:
        self._name, self._path, self._owner = name, shared_path(name), owner
        self._number = 0
        self._map = self._open()

    def read(self, timeout_s: float = 5.0) -> SharedFrame | None:
        """Wait for a frame newer than the last one read.

        Returns
        -------
        SharedFrame or None
            None when the writer has ended.

        Raises
        ------
        InputError
            No newer frame came in time.
        """
        end = time.monotonic() + timeout_s
        while True:
            count, state = _get(self._map, COUNT), _get(self._map, STATE)
            if count > self._number:
                frame = self._copy(count)
                if frame is not None:
                    self._number = frame.number
                    return frame
                continue
            if state == ENDED:
                return None
            if state == REPLACED:
                self._map.close()
                self._map, self._number = self._open(), 0
            elif time.monotonic() > end:
                raise InputError(
                    f"no new frame in shared:{self._name} within {timeout_s:g} s"
                )
            else:
                time.sleep(_POLL_S)

    def _copy(self, count: int) -> SharedFrame | None:
        """Return a frame, None if it was overwritten meanwhile."""
        import numpy as np

        width, height, slots, size = struct.unpack_from("<IIII", self._map, 16)
        fence()
        begin = HEADER_BYTES + (count - 1) % slots * size
        data = self._map[begin : begin + size]
        fence()
        if _get(self._map, COUNT) > count + slots - 2:
            return None
        time_s, captured_s, number = SLOT.unpack_from(data)
        planes = np.frombuffer(data, np.uint8, width * height * 4, SLOT_HEADER_BYTES)
        ids = planes[: width * height].reshape(height, width)
        picture = planes[width * height :].reshape(height, width, 3)
        return SharedFrame(number, time_s, captured_s, ids, picture)

    def _open(self) -> mmap.mmap:
        try:
            descriptor = open_own_file(self._path, self._owner)
            try:
                mapped = mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
            finally:
                os.close(descriptor)
        except FileNotFoundError as error:
            raise InputError(
                f"no frame is shared as {self._name!r}: start edgeseg run with "
                f"-o shared:{self._name}"
            ) from error
        except (OSError, ValueError) as error:
            raise InputError(f"cannot read {self._path}: {reason_of(error)}") from error
        if not _is_whole(mapped):
            mapped.close()
            raise InputError(f"{self._path} is not of this version of edgeseg")
        return mapped

    def close(self) -> None:
        """Let go of the memory; what was read stays."""
        self._map.close()


def _is_whole(mapped: mmap.mmap) -> bool:
    """Return whether a header is of this layout and its slots are in the file."""
    if len(mapped) < HEADER_BYTES:
        return False
    magic, version, _, width, height, slots, size, _, _ = HEADER.unpack_from(mapped)
    return (
        (magic, version, slots) == (MAGIC, VERSION, SLOTS)
        and size == slot_bytes((height, width))
        and len(mapped) >= HEADER_BYTES + slots * size
    )


def _get(mapped: mmap.mmap, field: tuple[struct.Struct, int]) -> int:
    value: int = field[0].unpack_from(mapped, field[1])[0]
    return value
