"""A session of processes: how much memory it holds, and its end."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROC = Path("/proc")
# Fields of /proc/PID/stat after the name, which may hold spaces; see proc(5)
_SESSION, _RESIDENT = 3, 21


def resident_bytes(session: int) -> int:
    """Return the resident memory of all processes of a session.

    Pages that they share count once for each. 0 where there is no ``/proc``.

    Parameters
    ----------
    session : int
        Process id of the session's leader.
    """
    if not _PROC.is_dir():
        return 0
    pages = sum(int(fields[_RESIDENT]) for _, fields in _members(session))
    return pages * os.sysconf("SC_PAGE_SIZE")


def peak_resident_bytes() -> int:
    """Return the largest resident memory that this process ever had; 0 if unknown.

    ``getrusage`` is no help: at its start a process inherits its parent's peak there.
    """
    with contextlib.suppress(OSError):
        for line in (_PROC / "self" / "status").read_bytes().splitlines():
            if line.startswith(b"VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def kill_session(session: int) -> None:
    """Kill a session's leader, its process group, and members that left the group.

    Parameters
    ----------
    session : int
        Process id of the leader, which nobody has waited for yet.
    """
    with contextlib.suppress(ProcessLookupError):
        os.killpg(session, signal.SIGKILL)
    if _PROC.is_dir():
        for pid, _ in _members(session):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _members(session: int) -> Iterator[tuple[int, list[bytes]]]:
    for entry in os.listdir(_PROC):
        if not entry.isdigit():
            continue
        with contextlib.suppress(OSError):  # it ended meanwhile
            fields = (_PROC / entry / "stat").read_bytes().rpartition(b")")[2].split()
            if int(fields[_SESSION]) == session:
                yield int(entry), fields
