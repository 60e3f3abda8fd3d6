"""A control group of its own for a container, so that all of it can be ended.

Containers that are started by one process would share its groups else: a service of one
would be in the group of the service of that name in another.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path


def hierarchies():
    """Return the folders of this process in the trees that systemd uses."""
    mounted = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        place, _, about = line.partition(" - ")
        kind, _, options = about.split()[:3]
        if kind == "cgroup2":
            mounted["0"] = Path(place.split()[4])
        elif kind == "cgroup" and "name=systemd" in options.split(","):
            mounted["name=systemd"] = Path(place.split()[4])
    found = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, names, path = line.split(":", 2)
        key = "0" if number == "0" else names
        if key in mounted:
            found.append(mounted[key] / path.lstrip("/"))
    return found


class ControlGroup:
    """A group in each of these trees."""

    def __init__(self, name):
        self._folders = [folder / name for folder in hierarchies()]
        for folder in self._folders:
            folder.mkdir()

    def enter(self):
        """Put this process into it; for a child before it becomes another program."""
        for folder in self._folders:
            (folder / "cgroup.procs").write_text(str(os.getpid()))

    def end(self):
        """Kill all that is in it, and remove it."""
        for folder in self._folders:
            with contextlib.suppress(OSError):
                (folder / "cgroup.kill").write_text("1")
        until = time.monotonic() + 10
        while not self._is_removed() and time.monotonic() < until:
            time.sleep(0.1)

    def _is_removed(self):
        for top in self._folders:
            for path, _, _ in os.walk(top, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(path)
        return not any(folder.exists() for folder in self._folders)
