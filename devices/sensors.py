"""Clocks, heat and power of a machine, as they are now."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from edgeseg.devices.linux_files import ROOT, read_numbers, read_text, read_words

if TYPE_CHECKING:
    from pathlib import Path

# Raspberry Pi firmware, `vcgencmd get_throttled` (raspberrypi.com documentation):
# bits 0..3 are of now, 16..19 the same since the start
_FLAGS = ("under-voltage", "frequency capped", "throttled", "soft temperature limit")
_SINCE_START = 16
_SYSFS_FLAGS = "sys/devices/platform/soc/soc:firmware/get_throttled"
_PROCESSORS = "sys/devices/system/cpu/cpu[0-9]*"


def read_governor(root: Path = ROOT) -> str | None:
    """Return the frequency governor; several, joined by a comma, where they differ."""
    files = root.glob(f"{_PROCESSORS}/cpufreq/scaling_governor")
    return ", ".join(sorted({name for p in files if (name := read_words(p))})) or None


def read_frequency_mhz(root: Path = ROOT) -> float | None:
    """Return the clock of the fastest processor now, in MHz."""
    clocks = read_numbers(root, f"{_PROCESSORS}/cpufreq/scaling_cur_freq")  # kHz
    return max(clocks) / 1000 if clocks else None


def read_temperature_c(root: Path = ROOT) -> float | None:
    """Return the temperature of the hottest zone in degrees Celsius."""
    heat = read_numbers(root, "sys/class/thermal/thermal_zone*/temp")  # 1/1000 degree
    return max(heat) / 1000 if heat else None


def read_throttle_count(root: Path = ROOT) -> int | None:
    """Return how often an Intel processor was throttled by heat, all cores summed."""
    counts = read_numbers(root, f"{_PROCESSORS}/thermal_throttle/core_throttle_count")
    return int(sum(counts)) if counts else None


def read_throttling(
    root: Path = ROOT, *, path: str | None = None
) -> dict[str, list[str]] | None:
    """Return what holds a Raspberry Pi back, now and since its start.

    Parameters
    ----------
    root : Path
        Where ``sys`` is.
    path : str or None
        Folders in which `vcgencmd` is looked for where ``sys`` does not have it; None
        looks in ``PATH``, and only for the real root.

    Returns
    -------
    dict or None
        ``now`` and ``since_start``, each a list out of under-voltage, frequency
        capped, throttled and soft temperature limit; None where it is unknown.
    """
    text = read_text(root / _SYSFS_FLAGS)
    if text is None and (path is not None or root == ROOT):
        text = ask_firmware("get_throttled", path=path)
    found = re.search(r"(?:0x)?([0-9a-fA-F]+)\s*$", text or "")
    if found is None:
        return None
    bits = int(found[1], 16)
    return {
        "now": _flags(bits),
        "since_start": _flags(bits >> _SINCE_START),
    }


def ask_firmware(*question: str, path: str | None = None) -> str | None:
    """Return what `vcgencmd` answers, None where it is not there or fails."""
    program = shutil.which("vcgencmd", path=path)
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, *question],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=5,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _flags(bits: int) -> list[str]:
    return [name for i, name in enumerate(_FLAGS) if bits >> i & 1]
