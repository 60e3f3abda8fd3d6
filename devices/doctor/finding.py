"""What a check found, why it matters, and what mends it.

Findings as people read them.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeseg.devices.types import Json

# from harmless to grave; only the last makes the exit code 1
SEVERITIES = ("ok", "note", "warning", "error")


@dataclass(frozen=True)
class Fix:
    """A command that mends a finding.

    Parameters
    ----------
    command : str or tuple of str
        Text to type, or the arguments of one program.
    is_safe : bool
        Whether ``--fix`` may run it: it changes one setting of this machine that can
        be changed back, downloads and removes nothing.
    needs_root : bool
        Whether it needs sudo.
    """

    command: str | tuple[str, ...]
    is_safe: bool = False
    needs_root: bool = False

    @property
    def text(self) -> str:
        """The command as typed in a shell."""
        if isinstance(self.command, str):
            return self.command
        return ("sudo " if self.needs_root else "") + shlex.join(self.command)


@dataclass(frozen=True)
class Finding:
    """One finding.

    Parameters
    ----------
    id : str
        Stable name, such as ``"coral-usb2"``.
    severity : str
        ``"ok"``, ``"note"``, ``"warning"`` or ``"error"``.
    found : str
        What is so.
    why : str
        Why it matters; empty where nothing is wrong.
    fix : Fix or None
        What to do about it.
    """

    id: str
    severity: str
    found: str
    why: str = ""
    fix: Fix | None = None

    def to_dict(self) -> Json:
        """Return the fields as JSON values."""
        return {
            "id": self.id,
            "severity": self.severity,
            "found": self.found,
            "why": self.why,
            "fix": self.fix.text if self.fix else None,
            "fix_is_safe": bool(self.fix and self.fix.is_safe),
        }


def worst(findings: tuple[Finding, ...]) -> str:
    """Return the gravest severity; ``"ok"`` for none.

    Examples
    --------
    >>> worst((Finding("a", "note", ""), Finding("b", "warning", "")))
    'warning'
    """
    return max((f.severity for f in findings), key=SEVERITIES.index, default="ok")


def findings_text(findings: tuple[Finding, ...]) -> str:
    """Return one line a finding, with reason and fix below it, and a sum."""
    width = max((len(finding.id) for finding in findings), default=0)
    lines = []
    for finding in findings:
        lines.append(f"{finding.severity:7}  {finding.id:{width}}  {finding.found}")
        if finding.severity != "ok":
            if finding.why:
                lines.append(f"{'':7}  why: {finding.why}")
            if finding.fix:
                lines.append(f"{'':7}  fix: {finding.fix.text}")
    counts = {s: sum(f.severity == s for f in findings) for s in SEVERITIES}
    return "\n".join([*lines, ", ".join(f"{n} {s}" for s, n in counts.items())])
