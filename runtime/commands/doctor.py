"""The command `doctor`: parse, call, print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeseg.runtime.commands.options import PATH

if TYPE_CHECKING:
    from edgeseg.devices.doctor.examination import CommandRun
    from edgeseg.devices.doctor.finding import Finding
    from edgeseg.devices.doctor.machine import Machine
    from edgeseg.devices.types import Json


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--fix",
    "fixes",
    is_flag=True,
    help="Run the fixes that change one setting (groups, governor, network time), each "
    "shown first; with sudo where needed, never asking.",
)
@click.option(
    "--report",
    type=PATH,
    metavar="FILE",
    help="Write one text file for a bug report; names, addresses, tokens and serial "
    "numbers are masked.",
)
@click.pass_context
def doctor(
    context: click.Context, as_json: bool, fixes: bool, report: Path | None
) -> None:
    """Look for what keeps models from running, or running fast, on this board.

    Each finding has a severity, a reason and a fix. The exit code is 1 if one of them
    is an error, else 0.
    """
    from edgeseg.devices.doctor.bugreport import report_text
    from edgeseg.devices.doctor.examination import examine, run_fixes
    from edgeseg.devices.doctor.finding import findings_text, worst
    from edgeseg.devices.doctor.machine import Machine
    from edgeseg.runtime.json_text import json_text
    from edgeseg.runtime.pictures.atomic import check_writable, write_text

    if report is not None:
        check_writable(report)
    machine = Machine()
    findings = examine(machine)
    if not as_json:
        click.echo(findings_text(findings))
    runs = run_fixes(findings, machine, _show) if fixes else ()
    if report is not None:
        write_text(report, report_text(findings, machine))
    if as_json:
        click.echo(json_text(_record(machine, findings, runs), indent=2))
    for run in () if as_json else runs:
        state = "done" if run.succeeded else f"failed: {run.told or 'no reason told'}"
        click.echo(f"{run.id}: {state}")
    context.exit(1 if worst(findings) == "error" else 0)


def _show(command: str) -> None:
    click.echo(f"$ {command}", err=True)


def _record(
    machine: Machine, findings: tuple[Finding, ...], runs: tuple[CommandRun, ...]
) -> Json:
    from edgeseg.devices.doctor.finding import worst

    return {
        "worst": worst(findings),
        "board": machine.board.to_dict(),
        "findings": [finding.to_dict() for finding in findings],
        "fixes": [run.to_dict() for run in runs],
    }
