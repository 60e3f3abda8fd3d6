"""What machine a record was made on; and whether it is a real one.

Everything is read from the files in which Linux tells it. What is not there is None,
never guessed. `root` stands for ``/`` so that a board's files can be looked at
elsewhere.
"""

from __future__ import annotations

import os
import platform
import re
from typing import TYPE_CHECKING

from edgeseg.devices.board import read_memory, read_model, read_processor
from edgeseg.devices.cores import physical_cores, usable_processors
from edgeseg.devices.linux_files import ROOT, read_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edgeseg.devices.types import Json

_X86 = ("x86_64", "AMD64", "i386", "i686")


def describe_board(root: Path = ROOT) -> Json:
    """Return model, processor, cores, memory and kernel as JSON values.

    Parameters
    ----------
    root : Path
        Where the machine's ``proc`` and ``sys`` are.
    """
    return {
        "model": read_model(root),
        "processor": read_processor(root),
        "architecture": platform.machine(),
        "cores": physical_cores(),
        "usable_processors": processors(),
        "memory_bytes": read_memory(root),
        "system": platform.system(),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def processors() -> int:
    """Return the processors open to this process, hyper-threads counted each."""
    return len(usable_processors())


def emulation(
    root: Path = ROOT,
    *,
    architecture: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> str | None:
    """Return what shows that another machine is only imitated, None where nothing does.

    QEMU's user mode imitates ``/proc/self/maps`` but not ``/proc/thread-self/maps``,
    where its program file shows (tried with QEMU 7.2). Variables named ``QEMU_...``
    count only where that file is missing: they may be meant for other processes.

    Parameters
    ----------
    root : Path
        Where ``proc`` is.
    architecture : str or None
        What the interpreter was built for; None asks it.
    environment : mapping of str to str
        Environment variables.
    """
    architecture = architecture or platform.machine()
    maps = read_text(root / "proc/thread-self/maps")
    if program := re.search(r"/(qemu-[\w-]+)$", maps or "", re.MULTILINE):
        return f"the process runs inside {program[1]}"
    told = read_text(root / "proc/cpuinfo") or ""
    x86_text = re.search(r"^vendor_id\s*:", told, re.MULTILINE) is not None
    if x86_text and architecture not in _X86:
        return f"{architecture} code on an x86 processor"
    if "VirtualApple" in told:
        return "x86 code on an Apple processor"
    variable = next((name for name in environment if name.startswith("QEMU_")), None)
    return f"the environment sets {variable}" if variable and maps is None else None
