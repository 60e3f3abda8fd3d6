"""Power and heat: governor, temperature, and what the firmware holds back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices.doctor.finding import Finding, Fix
from edgeseg.devices.sensors import read_governor, read_temperature_c, read_throttling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeseg.devices.doctor.machine import Machine

# a Pi's firmware slows down from 80 degrees Celsius on (raspberrypi.com, "Frequency
# management and thermal control"); below 70 there is room
_HOT_C, _WARM_C = 80.0, 70.0
_PERFORMANCE = (
    "sh",
    "-c",
    "for f in /sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor; "
    "do echo performance > $f; done",
)
_SUPPLY = "use the board's own power supply (Pi 5: 5 V, 5 A) and a short cable"
_COOLER = "fit a heat sink or fan"


def check_power(machine: Machine) -> Iterator[Finding]:
    """Look at clocks, heat and the power supply."""
    if governor := read_governor(machine.root):
        yield _governor(governor)
    heat = read_temperature_c(machine.root)
    if heat is not None:
        yield _heat(heat)
    throttling = read_throttling(machine.root, path=machine.path)
    if throttling is not None:
        yield from _throttling(throttling)


def _governor(name: str) -> Finding:
    if name == "performance":
        return Finding("governor", "ok", "governor performance")
    return Finding(
        "governor",
        "warning" if "powersave" in name else "note",
        f"governor {name}",
        "the clock follows the load: single pictures take longer, times scatter",
        Fix(_PERFORMANCE, is_safe=True, needs_root=True),
    )


def _heat(degrees: float) -> Finding:
    found = f"{degrees:.0f} degrees Celsius"
    if degrees < _WARM_C:
        return Finding("temperature", "ok", found)
    severity = "warning" if degrees >= _HOT_C else "note"
    why = "from 80 degrees on a Raspberry Pi lowers its clock"
    return Finding("temperature", severity, found, why, Fix(_COOLER))


def _throttling(found: dict[str, list[str]]) -> Iterator[Finding]:
    now, since = found["now"], found["since_start"]
    if "under-voltage" in now or "under-voltage" in since:
        when = "now" if "under-voltage" in now else "since the start"
        yield Finding(
            "under-voltage",
            "error" if "under-voltage" in now else "warning",
            f"under-voltage {when}",
            "the clock is lowered; cameras, USB and cards fail at random",
            Fix(_SUPPLY),
        )
    slowed = sorted({*now, *since} - {"under-voltage"})
    if slowed:
        yield Finding(
            "throttled",
            "warning",
            f"{', '.join(slowed)} {'now' if set(slowed) & set(now) else 'earlier'}",
            "the board is slower than it could be",
            Fix(_COOLER),
        )
    if not now and not since:
        yield Finding("throttled", "ok", "nothing holds the clock back")
