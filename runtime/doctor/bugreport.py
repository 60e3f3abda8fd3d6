"""One text file for a bug report, without secrets."""

from __future__ import annotations

import json
import os
import platform
import socket
import time
from typing import TYPE_CHECKING

from edgeseg.runtime.doctor.masking import Identity, mask
from edgeseg.runtime.doctor.text import findings_text

if TYPE_CHECKING:
    from edgeseg.runtime.doctor.finding import Finding
    from edgeseg.runtime.doctor.machine import Machine

# kernel messages worth reading, the rest of the log is nobody's business
_WORDS = ("voltage", "thermal", "throttl", "out of memory", "apex", "usb")
_LINES = 20


def report_text(findings: tuple[Finding, ...], machine: Machine) -> str:
    """Return findings, board, packages and a few kernel messages, masked.

    Parameters
    ----------
    findings : tuple of Finding
        What the doctor found.
    machine : Machine
        Where.
    """
    packages = [f"{name}=={v}" for name, v in sorted(machine.packages.items())]
    parts = [
        "edgeseg doctor report",
        time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        f"kernel {platform.release()}, Python {'.'.join(map(str, machine.python))}, "
        f"{' '.join(machine.libc)}",
        "",
        "== findings",
        findings_text(findings),
        "",
        "== board",
        json.dumps(machine.board.to_dict(), indent=2),
        "",
        "== packages",
        *packages,
        "",
        "== kernel messages",
        *_messages(machine),
        "",
    ]
    return mask("\n".join(parts), _identity(machine))


def _messages(machine: Machine) -> list[str]:
    lines = (machine.run("dmesg") or "").splitlines()
    chosen = [line for line in lines if any(w in line.lower() for w in _WORDS)]
    return chosen[-_LINES:] or ["none"]


def _identity(machine: Machine) -> Identity:
    return Identity(
        user=machine.user,
        home=os.path.expanduser("~"),
        host=machine.words("etc/hostname") or socket.gethostname(),
    )
