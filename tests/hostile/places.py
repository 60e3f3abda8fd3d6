"""The folders around one command, and what has changed in them afterwards."""

from __future__ import annotations

import os
import stat
from pathlib import Path

VICTIM = "outside/victim.txt"  # what hostile inputs try to reach, from beside the case
_TEXT = "whoever changes this has left the folder\n"
# where edgeseg may keep what it remembers of models, and what GTK writes
_CACHES = "home/.cache/edgeseg/", "home/.cache/dconf/"


class Places:
    """Folders of one case: ``work`` is the current folder of its command.

    Parameters
    ----------
    root : Path
        An empty folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.work, self.home, self.tmp = (root / n for n in ("work", "home", "tmp"))
        for folder in (self.work, self.home, self.tmp, root / "outside"):
            folder.mkdir(parents=True)
        (root / VICTIM).write_text(_TEXT)
        self._before: dict[str, tuple] = {}

    def environ(self, path: str) -> dict[str, str]:
        """Return the variables of the command; `path` is its PATH."""
        return {
            "PATH": path,
            "HOME": str(self.home),
            "TMPDIR": str(self.tmp),
            "LANG": "C.UTF-8",
            "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "0"),
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).resolve().parents[1])]),
        }

    def note(self) -> None:
        """Remember what is there: the input is complete."""
        self._before = _listing(self.root)

    def changed(self) -> dict[str, str]:
        """Return paths that differ, each with ``made``, ``changed`` or ``gone``."""
        now = _listing(self.root)
        found = {}
        for name in sorted(now.keys() | self._before.keys()):
            old, new = self._before.get(name), now.get(name)
            if old != new and not _is_cache(name):
                found[name] = (
                    "made" if old is None else "gone" if new is None else "changed"
                )
        return found


def _is_cache(name: str) -> bool:
    return any(
        name.startswith(cache) or cache.startswith(f"{name}/") for cache in _CACHES
    )


def _listing(root: Path) -> dict[str, tuple]:
    """Return what shows a change of each path below a folder."""
    found = {}
    waiting = [(str(root), "")]
    while waiting:
        folder, prefix = waiting.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                status = entry.stat(follow_symlinks=False)
                name = f"{prefix}{entry.name}"
                if stat.S_ISDIR(status.st_mode):
                    found[name] = (status.st_mode,)
                    waiting.append((entry.path, f"{name}/"))
                else:
                    times = status.st_mtime_ns, status.st_ino
                    found[name] = (status.st_mode, status.st_size, *times)
    return found
