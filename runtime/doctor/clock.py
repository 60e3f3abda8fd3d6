"""The clock: a Raspberry Pi before the 5 has none that runs without power."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.doctor.finding import Finding, Fix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeseg.runtime.doctor.machine import Machine

_OLDEST_YEAR = 2024  # older than this program
_FIX = Fix(("timedatectl", "set-ntp", "true"), is_safe=True, needs_root=True)


def check_clock(machine: Machine) -> Iterator[Finding]:
    """Look at the year, and whether the time is kept by the network."""
    if machine.year < _OLDEST_YEAR:
        yield Finding(
            "clock",
            "error",
            f"the clock says {machine.year}",
            "pip and downloads fail (certificates are not valid yet), records are "
            "misdated",
            _FIX,
        )
        return
    told = machine.run("timedatectl", "show", "-p", "NTPSynchronized", "--value")
    if told is not None and told.strip() == "no":
        why = "without a battery the clock starts wrong after each power cut"
        found = "the clock is not kept by the network"
        yield Finding("clock", "warning", found, why, _FIX)
    else:
        yield Finding("clock", "ok", f"the year is {machine.year}")
