"""What changes while a machine works: clocks, heat, throttling, load, memory.

Read before and after a measurement. What a machine does not tell is None, never
guessed; `root` stands for ``/``.
"""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING

from edgeseg.devices.linux_files import ROOT, read_text
from edgeseg.devices.sensors import (
    read_frequency_mhz,
    read_governor,
    read_temperature_c,
    read_throttle_count,
    read_throttling,
)

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Json


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

    The difference of two readings tells what other processes took in between;
    time that a hypervisor took away counts as theirs.
    """
    told = re.match(r"cpu +([\d ]+)", read_text(root / "proc/stat") or "")
    if told is None:
        return None
    # user nice system idle iowait irq softirq steal (proc(5)), in clock ticks
    ticks = [int(field) for field in told[1].split()[:8]]
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

    told = read_text(root / "proc/self/status") or ""
    return {
        "resident_bytes": _kilobytes(told, "VmRSS"),
        "peak_bytes": _kilobytes(told, "VmHWM"),
        "process_peak_bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }


def _load(root: Path) -> list[float] | None:
    fields = (read_text(root / "proc/loadavg") or "").split()[:3]
    return [float(field) for field in fields] if len(fields) == 3 else None


def _kilobytes(told: str, key: str) -> int | None:
    found = re.search(rf"^{key}:\s*(\d+) kB", told, re.MULTILINE)
    return 1024 * int(found[1]) if found else None
