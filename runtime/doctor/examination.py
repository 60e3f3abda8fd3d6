"""All checks of a machine, in the order in which to read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.doctor.camera import check_camera
from edgeseg.runtime.doctor.clock import check_clock
from edgeseg.runtime.doctor.coral import check_coral
from edgeseg.runtime.doctor.gpu import check_gpu
from edgeseg.runtime.doctor.loads import check_loads
from edgeseg.runtime.doctor.memory import check_memory
from edgeseg.runtime.doctor.power import check_power
from edgeseg.runtime.doctor.storage import check_storage
from edgeseg.runtime.doctor.wheels import check_wheels

if TYPE_CHECKING:
    from edgeseg.runtime.doctor.finding import Finding
    from edgeseg.runtime.doctor.machine import Machine

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
