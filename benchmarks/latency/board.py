"""What machine this is: board, processor, kernel; and whether it is a real one.

Everything is read from the files in which Linux tells it. What is not there is None,
never guessed. `root` stands for ``/`` so that a board's files can be looked at
elsewhere.
"""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeseg.devices._cores import physical_cores

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path("/")
# ARM's cpuinfo has no model name, only numbers (Arm: Main ID Register, part number)
_ARM_PARTS = {
    "0xd03": "Cortex-A53",
    "0xd04": "Cortex-A35",
    "0xd05": "Cortex-A55",
    "0xd07": "Cortex-A57",
    "0xd08": "Cortex-A72",
    "0xd0b": "Cortex-A76",
    "0xd42": "Cortex-A78AE",
}
_X86 = ("x86_64", "AMD64", "i386", "i686")


def describe_board(root: Path = ROOT) -> dict[str, Any]:
    """Return model, processor, cores, memory and kernel as JSON values.

    Parameters
    ----------
    root : Path
        Where the machine's ``proc`` and ``sys`` are.
    """
    return {
        "model": _board_model(root),
        "processor": _processor(root),
        "architecture": platform.machine(),
        "cores": physical_cores(),
        "usable_processors": processors(),
        "memory_bytes": _memory(root),
        "system": platform.system(),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def processors() -> int:
    """Return the processors open to this process, hyper-threads counted each."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
    maps = _text(root / "proc/thread-self/maps")
    if program := re.search(r"/(qemu-[\w-]+)$", maps or "", re.MULTILINE):
        return f"the process runs inside {program[1]}"
    told = _text(root / "proc/cpuinfo") or ""
    x86_text = re.search(r"^vendor_id\s*:", told, re.MULTILINE) is not None
    if x86_text and architecture not in _X86:
        return f"{architecture} code on an x86 processor"
    if "VirtualApple" in told:
        return "x86 code on an Apple processor"
    variable = next((name for name in environment if name.startswith("QEMU_")), None)
    return f"the environment sets {variable}" if variable and maps is None else None


def _board_model(root: Path) -> str | None:
    for place in (
        "proc/device-tree/model",
        "sys/firmware/devicetree/base/model",
        "sys/class/dmi/id/product_name",
    ):
        if told := _text(root / place):
            return told.strip("\0 \n")
    return None


def _processor(root: Path) -> str | None:
    told = _text(root / "proc/cpuinfo") or ""
    if named := re.search(r"^model name\s*:\s*(.+)$", told, re.MULTILINE):
        return named[1].strip()
    parts = sorted(set(re.findall(r"^CPU part\s*:\s*(\S+)", told, re.MULTILINE)))
    named_parts = [_ARM_PARTS.get(part, f"ARM part {part}") for part in parts]
    return " + ".join(named_parts) or None


def _memory(root: Path) -> int | None:
    told = re.search(r"^MemTotal:\s*(\d+) kB", _text(root / "proc/meminfo") or "")
    return 1024 * int(told[1]) if told else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return None
