"""What changes while a machine works: clocks, heat, throttling, load, memory.

Read before and after a measurement. What a machine does not tell is None, never
guessed; `root` stands for ``/``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from edgeseg.benchmarks.latency.board import ROOT

# Raspberry Pi firmware, `vcgencmd get_throttled` (raspberrypi.com documentation):
# bits 0..3 are of now, 16..19 the same since the start
_FLAGS = ("under-voltage", "frequency capped", "throttled", "soft temperature limit")
_SINCE_START = 16
_SYSFS_FLAGS = "sys/devices/platform/soc/soc:firmware/get_throttled"


def read_conditions(root: Path = ROOT) -> dict[str, Any]:
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
    processor = "sys/devices/system/cpu/cpu[0-9]*"
    clocks = _numbers(root, f"{processor}/cpufreq/scaling_cur_freq")  # kHz
    heat = _numbers(root, "sys/class/thermal/thermal_zone*/temp")  # 1/1000 degree
    counts = _numbers(root, f"{processor}/thermal_throttle/core_throttle_count")
    return {
        "governor": _governor(root, processor),
        "frequency_mhz": max(clocks) / 1000 if clocks else None,
        "temperature_c": max(heat) / 1000 if heat else None,
        "throttling": _throttling(root),
        "throttle_count": int(sum(counts)) if counts else None,
        "load_average": _load(root),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def processor_seconds(root: Path = ROOT) -> tuple[float, float] | None:
    """Return processor time spent so far: by this process, and by the whole machine.

    The difference of two readings tells what other processes took in between;
    time that a hypervisor took away counts as theirs.
    """
    told = re.match(r"cpu +([\d ]+)", _text(root / "proc/stat") or "")
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
        (root / "proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def memory(root: Path = ROOT) -> dict[str, int | None]:
    """Return resident memory in bytes: now, its peak, and getrusage's peak.

    Both peaks count from `reset_peak`, or from the process's start without it.
    """
    import resource

    told = _text(root / "proc/self/status") or ""
    return {
        "resident_bytes": _kilobytes(told, "VmRSS"),
        "peak_bytes": _kilobytes(told, "VmHWM"),
        "process_peak_bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }


def _governor(root: Path, processor: str) -> str | None:
    told = {_text(p) for p in root.glob(f"{processor}/cpufreq/scaling_governor")}
    names = sorted(name.strip() for name in told if name)
    return ", ".join(names) or None


def _throttling(root: Path) -> dict[str, list[str]] | None:
    told = _text(root / _SYSFS_FLAGS) or (_vcgencmd() if root == ROOT else None)
    found = re.search(r"(?:0x)?([0-9a-fA-F]+)\s*$", told or "")
    if found is None:
        return None
    bits = int(found[1], 16)
    return {
        "now": [name for i, name in enumerate(_FLAGS) if bits >> i & 1],
        "since_start": [
            name for i, name in enumerate(_FLAGS) if bits >> (i + _SINCE_START) & 1
        ],
    }


def _vcgencmd() -> str | None:
    program = shutil.which("vcgencmd")
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, "get_throttled"], capture_output=True, text=True, timeout=5
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _load(root: Path) -> list[float] | None:
    fields = (_text(root / "proc/loadavg") or "").split()[:3]
    return [float(field) for field in fields] if len(fields) == 3 else None


def _numbers(root: Path, pattern: str) -> list[float]:
    found = []
    for path in sorted(root.glob(pattern)):
        if re.fullmatch(r"-?\d+", text := (_text(path) or "").strip()):
            found.append(float(text))
    return found


def _kilobytes(told: str, key: str) -> int | None:
    found = re.search(rf"^{key}:\s*(\d+) kB", told, re.MULTILINE)
    return 1024 * int(found[1]) if found else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return None
