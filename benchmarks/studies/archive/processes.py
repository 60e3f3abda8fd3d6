"""What Linux knows of a process and of all that it has started, by kind: proc(5)."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

ACTOR = "ray::Holder"
KINDS = "driver", "actors", "ray"
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Process:
    """One process at one moment.

    Parameters
    ----------
    pid, parent : int
        Its number, and that of the process that started it.
    title : str
        What it calls itself.
    resident_bytes : int
        Resident memory, what it shares with others among it.
    cpu_s : float
        Seconds of a core that it and those of its children that have ended took.
    """

    pid: int
    parent: int
    title: str
    resident_bytes: int
    cpu_s: float

    @property
    def kind(self) -> str:
        """``actors`` for those that segment, else ``ray``."""
        return "actors" if self.title.startswith(ACTOR) else "ray"


def family(pid: int) -> dict[str, list[Process]]:
    """Return a process as ``driver`` and its descendants as ``actors`` and ``ray``."""
    children: dict[int, list[Process]] = {}
    found: dict[str, list[Process]] = {kind: [] for kind in KINDS}
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            process = _process(path)
            if process.pid == pid:
                found["driver"].append(process)
            children.setdefault(process.parent, []).append(process)
    waiting = [pid]
    while waiting:
        for process in children.get(waiting.pop(), ()):
            found[process.kind].append(process)
            waiting.append(process.pid)
    return found


def _process(path: Path) -> Process:
    title = (path / "cmdline").read_bytes().replace(b"\0", b" ")
    # the name in parentheses may hold spaces
    stat = (path / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    return Process(
        pid=int(path.name),
        parent=int(stat[1]),
        title=title.decode("utf-8", "replace").strip(),
        resident_bytes=int(stat[21]) * _PAGE,
        cpu_s=sum(map(int, stat[11:15])) / _TICKS,
    )
