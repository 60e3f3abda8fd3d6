"""All checks of a machine, in the order in which to read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices.doctor.camera import check_camera
from edgeseg.devices.doctor.coral import check_coral, check_gpu
from edgeseg.devices.doctor.loads import check_loads
from edgeseg.devices.doctor.machine import check_clock
from edgeseg.devices.doctor.memory import check_memory, check_storage
from edgeseg.devices.doctor.power import check_power
from edgeseg.devices.doctor.wheels import check_wheels

if TYPE_CHECKING:
    from edgeseg.devices.doctor.finding import Finding
    from edgeseg.devices.doctor.machine import Machine

CHECKS = (
    check_wheels,
    check_loads,
    check_camera,
    check_coral,
    check_gpu,
    check_power,
    check_memory,
    check_clock,
    check_storage,
)


def examine(machine: Machine) -> tuple[Finding, ...]:
    """Return the findings of every check."""
    return tuple(finding for check in CHECKS for finding in check(machine))
