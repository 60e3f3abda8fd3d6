"""All checks of a machine, in the order in which to read them, and their safe fixes.

A safe fix changes one setting; it is shown before it runs.
"""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from edgeseg.devices.doctor.camera import check_camera
from edgeseg.devices.doctor.coral import check_coral, check_gpu
from edgeseg.devices.doctor.loads import check_loads
from edgeseg.devices.doctor.machine import check_clock
from edgeseg.devices.doctor.memory import check_memory, check_storage
from edgeseg.devices.doctor.power import check_power
from edgeseg.devices.doctor.wheels import check_wheels
from edgeseg.devices.plain_text import one_line
from edgeseg.devices.process_log import reason_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.devices.doctor.finding import Finding, Fix
    from edgeseg.devices.doctor.machine import Machine
    from edgeseg.devices.types import Json

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
_FIX_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class CommandRun:
    """One fix that was run: for which finding, the command, and how it went."""

    id: str
    command: str
    succeeded: bool
    told: str

    def to_dict(self) -> Json:
        """Return the fields as JSON values."""
        return asdict(self)


def examine(machine: Machine) -> tuple[Finding, ...]:
    """Return the findings of every check."""
    return tuple(finding for check in CHECKS for finding in check(machine))


def run_fixes(
    findings: tuple[Finding, ...], machine: Machine, show: Callable[[str], None]
) -> tuple[CommandRun, ...]:
    """Run the safe fixes of the findings, each command once.

    Parameters
    ----------
    findings : tuple of Finding
        What was found.
    machine : Machine
        Where to run; without root rights by `sudo`, which may not ask for a password.
    show : callable
        Takes each command as text before it is run.
    """
    done: dict[str, CommandRun] = {}
    for finding in findings:
        fix = finding.fix
        if fix is None or not fix.is_safe or fix.text in done:
            continue
        command = _command(fix, machine)
        show(shlex.join(command))
        succeeded, reason = _run(command, machine)
        done[fix.text] = CommandRun(finding.id, shlex.join(command), succeeded, reason)
    return tuple(done.values())


def _command(fix: Fix, machine: Machine) -> tuple[str, ...]:
    parts = tuple(fix.command) if not isinstance(fix.command, str) else (fix.command,)
    # -n: never ask for a password
    return ("sudo", "-n", *parts) if fix.needs_root and not machine.is_root else parts


def _run(command: tuple[str, ...], machine: Machine) -> tuple[bool, str]:
    environment = {"PATH": machine.path, "LC_ALL": "C"}
    try:
        done = machine.execute(
            command, timeout_s=_FIX_TIMEOUT_S, environment=environment
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, one_line(error)
    if done is None:
        return False, f"{command[0]} is not installed"
    return done.returncode == 0, reason_in(done.stderr or done.stdout, 200)
