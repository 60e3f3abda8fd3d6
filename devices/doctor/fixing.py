"""Run the fixes that are safe: one setting each, shown before it runs."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from edgeseg.devices.plain_text import one_line
from edgeseg.devices.process_log import reason_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.devices.doctor.finding import Finding, Fix
    from edgeseg.devices.doctor.machine import Machine
    from edgeseg.devices.types import Json

_TIMEOUT_S = 30.0


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


def run_fixes(
    findings: tuple[Finding, ...], machine: Machine, show: Callable[[str], None]
) -> tuple[CommandRun, ...]:
    """Run the safe fixes of the findings, each command once.

    Parameters
    ----------
    findings : tuple of Finding
        What was found.
    machine : Machine
        Where to run; without root rights `sudo` is asked, which may not ask back.
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
        succeeded, told = _run(command, machine)
        done[fix.text] = CommandRun(finding.id, shlex.join(command), succeeded, told)
    return tuple(done.values())


def _command(fix: Fix, machine: Machine) -> tuple[str, ...]:
    parts = tuple(fix.command) if not isinstance(fix.command, str) else (fix.command,)
    # -n: never ask for a password
    return ("sudo", "-n", *parts) if fix.needs_root and not machine.is_root else parts


def _run(command: tuple[str, ...], machine: Machine) -> tuple[bool, str]:
    environment = {"PATH": machine.path, "LC_ALL": "C"}
    try:
        done = machine.execute(command, timeout_s=_TIMEOUT_S, environment=environment)
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, one_line(error)
    if done is None:
        return False, f"{command[0]} is not installed"
    told = reason_in(done.stderr or done.stdout, 200)
    return done.returncode == 0, told
