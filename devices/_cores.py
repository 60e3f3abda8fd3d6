"""How many processor cores this process may really use."""

from __future__ import annotations

import os
from pathlib import Path

_TOPOLOGY = "/sys/devices/system/cpu/cpu{}/topology/{}"
_QUOTA = Path("/sys/fs/cgroup/cpu.max")  # cgroup v2: "QUOTA PERIOD" or "max PERIOD"


def physical_cores() -> int:
    """Return the physical cores open to this process, at least 1.

    Hyper-threads of one core count once, processors outside the affinity mask not at
    all, and a container's CPU quota is an upper bound.

    Examples
    --------
    >>> physical_cores() >= 1
    True
    """
    usable = (
        os.sched_getaffinity(0)
        if hasattr(os, "sched_getaffinity")
        else range(os.cpu_count() or 1)
    )
    cores = {_core_of(cpu) for cpu in usable}
    return max(1, min(len(cores), _quota()))


def _core_of(cpu: int) -> tuple[str, str]:
    return _topology(cpu, "physical_package_id"), _topology(cpu, "core_id")


def _topology(cpu: int, key: str) -> str:
    try:
        return Path(_TOPOLOGY.format(cpu, key)).read_text().strip()
    except OSError:
        return f"cpu{cpu}"  # unknown: count it as a core of its own


def _quota() -> int:
    try:
        quota, period = _QUOTA.read_text().split()
    except (OSError, ValueError):
        return 1 << 16
    return 1 << 16 if quota == "max" else max(1, int(quota) // int(period))
