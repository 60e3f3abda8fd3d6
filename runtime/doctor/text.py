"""Findings as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.doctor.finding import SEVERITIES

if TYPE_CHECKING:
    from edgeseg.runtime.doctor.finding import Finding


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
