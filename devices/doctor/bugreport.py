"""One text file for a bug report, without secrets.

Take secrets out of a text that is meant for others to read.
"""

from __future__ import annotations

import json
import os
import platform
import re
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices.doctor.finding import findings_text

if TYPE_CHECKING:
    from edgeseg.devices.doctor.finding import Finding
    from edgeseg.devices.doctor.machine import Machine


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


_COMMON = frozenset({"root", "user", "localhost", ""})  # say nothing of anybody
_PATTERNS = (
    # before the rest: a token may hold digits and colons
    (
        r"(?i)\b(authorization\s*:\s*)?(bearer|basic)\s+[\w.~+/=-]{8,}",
        "<token>",
    ),
    (r"\b(ghp|gho|ghs|github_pat|glpat|hf|sk|xox[abp])[-_][\w-]{10,}", "<token>"),
    (r"\bAKIA[0-9A-Z]{16}\b", "<token>"),
    (
        r"(?i)\b(\w*(?:token|secret|passw(?:or)?d|passphrase|api_?key|psk))"
        r"(\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|\S+)",
        r"\1\2<secret>",
    ),
    (r"(?i)\b(ssid)(\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\n,]+)", r"\1\2<wi-fi>"),
    (r"(\w+://)[^/\s:@]+(:[^/\s@]*)?@", r"\1<user>@"),
    (r"(?i)\b(serial(?:\s*number|_number|no)?)(\s*[=:]\s*)(\S+)", r"\1\2<serial>"),
    (r"(?i)\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b", "<mac>"),
    (r"(?i)(?<![\w:])(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?![\w:])", "<ip>"),
    (
        r"(?i)(?<![\w:])(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6}(?![\w:])",
        "<ip>",
    ),
    # four numbers behind '==' are a version: opencv has them
    (r"(?<![\w.=])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])", "<ip>"),
    (r"(?<![\w/])/(?:home|Users)/[^/\s:\"']+", "<home>"),
)


@dataclass(frozen=True)
class Identity:
    """Names of one person and machine that a text must not give away."""

    user: str
    home: str
    host: str


def mask(text: str, identity: Identity) -> str:
    """Return a text without names, addresses, tokens, passwords and serial numbers.

    Parameters
    ----------
    text : str
        Any text.
    identity : Identity
        What this user, home folder and machine are called.

    Examples
    --------
    >>> me = Identity("ada", "/home/ada", "attic")
    >>> mask("ada@attic at 192.168.0.17 in /home/ada/x", me)
    '<user>@<host> at <ip> in <home>/x'
    """
    if len(identity.home) > 1:
        text = re.sub(rf"{re.escape(identity.home)}(?![\w-])", "<home>", text)
    for pattern, instead in _PATTERNS:
        text = re.sub(pattern, instead, text)
    for name, instead in ((identity.host, "<host>"), (identity.user, "<user>")):
        if name.lower() not in _COMMON:
            text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", instead, text)
    return text
