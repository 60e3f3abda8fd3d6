"""How many processor cores this process may really use, and which are the big ones.

Keep the threads of an inference on some processors, and only those threads.

Linux keeps the mask for each thread: a thread inherits that of the one which starts
it. So the mask is set while an interpreter starts its threads and while it computes,
and is put back afterwards: readers, writers and the rest of the process never see it.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices.board import part_name
from edgeseg.devices.linux_files import ROOT, read_text, read_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


_PROCESSOR = "sys/devices/system/cpu/cpu{}"
_QUOTA = "sys/fs/cgroup/cpu.max"  # cgroup v2: "QUOTA PERIOD" or "max PERIOD"
# a core is big with this share of the fastest one's capacity: an RK3588's A76 pairs
# differ by 3 %, its A55 have half of theirs
_BIG = 0.8


@dataclass(frozen=True)
class CoreGroup:
    """Cores of one kind.

    Parameters
    ----------
    name : str or None
        The core's name, where ``/proc/cpuinfo`` has it for each processor.
    processors : tuple of int
        Linux's numbers.
    capacity : int or None
        Relative to the fastest core's 1024 (kernel documentation, ``cpu_capacity``).
    max_mhz : float or None
        Highest clock.
    is_big : bool
        Whether inference threads belong here.
    """

    name: str | None
    processors: tuple[int, ...]
    capacity: int | None
    max_mhz: float | None
    is_big: bool


def physical_cores() -> int:
    """Return the physical cores open to this process, at least 1.

    Hyper-threads of one core count once, processors outside the affinity mask not at
    all, and a container's CPU quota is an upper bound.

    Examples
    --------
    >>> physical_cores() >= 1
    True
    """
    return _count(usable_processors())


def big_cores() -> int:
    """Return the big cores open to this process, at least 1; all where none differ.

    The slowest thread of an inference holds the others up: small cores beside big
    ones cost more than they bring.
    """
    return _count(usable_processors() & big_processors()) or physical_cores()


def usable_processors() -> frozenset[int]:
    """Return the processors open to this process, hyper-threads counted each."""
    if hasattr(os, "sched_getaffinity"):
        return frozenset(os.sched_getaffinity(0))
    return frozenset(range(os.cpu_count() or 1))


def big_processors(root: Path = ROOT) -> frozenset[int]:
    """Return the numbers of the processors with (nearly) the highest capacity."""
    return frozenset(
        number
        for group in core_groups(root)
        if group.is_big
        for number in group.processors
    )


def core_groups(root: Path = ROOT) -> tuple[CoreGroup, ...]:
    """Return a machine's cores, sorted into kinds, the fastest first.

    Parameters
    ----------
    root : Path
        Where ``proc`` and ``sys`` are.
    """
    names = _names(root)
    kinds: dict[tuple[int, float, str], list[int]] = {}
    for number in _processors(root):
        clock = _number(root, number, "cpufreq/cpuinfo_max_freq") or 0  # kHz
        capacity = _number(root, number, "cpu_capacity") or 0
        key = (capacity, clock / 1000, names.get(number, ""))
        kinds.setdefault(key, []).append(number)
    # where no capacity is known the clock stands for it
    strongest = max((capacity for capacity, _, _ in kinds), default=0)
    best = strongest or max((mhz for _, mhz, _ in kinds), default=0)
    return tuple(
        CoreGroup(
            name=name or None,
            processors=tuple(numbers),
            capacity=capacity or None,
            max_mhz=mhz or None,
            is_big=(capacity if strongest else mhz) >= _BIG * best,
        )
        for (capacity, mhz, name), numbers in sorted(kinds.items(), reverse=True)
    )


def _processors(root: Path) -> list[int]:
    found = (root / "sys/devices/system/cpu").glob("cpu[0-9]*")
    numbers = [int(p.name[3:]) for p in found if p.name[3:].isdigit()]
    return sorted(numbers)


def _names(root: Path) -> dict[int, str]:
    cpuinfo = read_text(root / "proc/cpuinfo") or ""
    names = {}
    for block in cpuinfo.split("\n\n"):
        number = re.search(r"^processor\s*:\s*(\d+)", block, re.MULTILINE)
        part = re.search(r"^CPU part\s*:\s*(\S+)", block, re.MULTILINE)
        if number and part:
            names[int(number[1])] = part_name(part[1])
    return names


def _number(root: Path, number: int, key: str) -> int | None:
    text = read_words(root / _PROCESSOR.format(number) / key) or ""
    return int(text) if text.isdigit() else None


def _count(processors: frozenset[int]) -> int:
    cores = {_core_of(number) for number in processors}
    return min(len(cores), _quota())


def _core_of(number: int) -> tuple[str, str]:
    folder = ROOT / _PROCESSOR.format(number) / "topology"
    # unknown: count it as a core of its own
    package = read_words(folder / "physical_package_id") or f"cpu{number}"
    return package, read_words(folder / "core_id") or f"cpu{number}"


def _quota() -> int:
    fields = (read_words(ROOT / _QUOTA) or "max").split()
    if len(fields) != 2 or not all(field.isdigit() for field in fields):
        return 1 << 16
    return max(1, int(fields[0]) // int(fields[1]))


@contextmanager
def pinned(processors: frozenset[int]) -> Iterator[None]:
    """Run the block, and threads started in it, on these processors.

    Parameters
    ----------
    processors : frozenset of int
        Linux's numbers; empty leaves everything as it is. Processors outside the
        thread's own mask are left out.
    """
    if not processors or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)  # 0: the calling thread
    os.sched_setaffinity(0, before & processors or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
