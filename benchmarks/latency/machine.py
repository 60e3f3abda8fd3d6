"""The machine that a record was made on: what it is, and what changes while it works.

Everything is read from files of Linux; what is not there is None, never guessed.
Clocks, heat, throttling, load and memory are read before and after a measurement.
`root` stands for ``/`` so that a board's files can be looked at elsewhere.
"""

from __future__ import annotations

import os
import platform
import re
import time
from typing import TYPE_CHECKING

from edgeseg.devices.board import read_memory, read_model, read_processor
from edgeseg.devices.cores import physical_cores, usable_processors
from edgeseg.devices.linux_files import ROOT, read_text
from edgeseg.devices.sensors import (
    read_frequency_mhz,
    read_governor,
    read_temperature_c,
    read_throttle_count,
    read_throttling,
)

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
    cpuinfo = read_text(root / "proc/cpuinfo") or ""
    x86_text = re.search(r"^vendor_id\s*:", cpuinfo, re.MULTILINE) is not None
    if x86_text and architecture not in _X86:
        return f"{architecture} code on an x86 processor"
    if "VirtualApple" in cpuinfo:
        return "x86 code on an Apple processor"
    variable = next((name for name in environment if name.startswith("QEMU_")), None)
    return f"the environment sets {variable}" if variable and maps is None else None


def read_conditions(root: Path = ROOT) -> Json:
    """Return the machine's state as JSON values.

    Parameters
    ----------
    root : Path
        Where the machine's ``proc`` and ``sys`` are.

    Returns
    -------
    dict
        ``governor``, ``frequency_mhz`` (of the fastest processor now),
        ``temperature_c`` (the hottest zone), ``throttling``, ``throttle_count`` (of
        an Intel processor), ``load_average`` (1, 5 and 15 minutes) and ``time``.
    """
    return {
        "governor": read_governor(root),
        "frequency_mhz": read_frequency_mhz(root),
        "temperature_c": read_temperature_c(root),
        "throttling": read_throttling(root),
        "throttle_count": read_throttle_count(root),
        "load_average": _load(root),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def processor_seconds(root: Path = ROOT) -> tuple[float, float] | None:
    """Return processor time spent so far: by this process, and by the whole machine.

    The difference of two readings is what other processes took in between; time that
    a hypervisor took away counts as theirs.
    """
    found = re.match(r"cpu +([\d ]+)", read_text(root / "proc/stat") or "")
    if found is None:
        return None
    # user nice system idle iowait irq softirq steal (proc(5)), in clock ticks
    ticks = [int(field) for field in found[1].split()[:8]]
    busy = sum(ticks) - sum(ticks[3:5])
    own = os.times()
    return own.user + own.system, busy / os.sysconf("SC_CLK_TCK")


def reset_peak(root: Path = ROOT) -> bool:
    """Let the kernel count the peak of resident memory anew (proc(5), clear_refs)."""
    try:
        (root / "proc/self/clear_refs").write_bytes(b"5")
    except OSError:
        return False
    return True


def memory(root: Path = ROOT) -> dict[str, int | None]:
    """Return resident memory in bytes: now, its peak, and getrusage's peak.

    Both peaks count from `reset_peak`, or from the process's start without it.
    """
    import resource

    status = read_text(root / "proc/self/status") or ""
    return {
        "resident_bytes": _kilobytes(status, "VmRSS"),
        "peak_bytes": _kilobytes(status, "VmHWM"),
        "process_peak_bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }


def _load(root: Path) -> list[float] | None:
    fields = (read_text(root / "proc/loadavg") or "").split()[:3]
    return [float(field) for field in fields] if len(fields) == 3 else None


def _kilobytes(status: str, key: str) -> int | None:
    found = re.search(rf"^{key}:\s*(\d+) kB", status, re.MULTILINE)
    return 1024 * int(found[1]) if found else None
