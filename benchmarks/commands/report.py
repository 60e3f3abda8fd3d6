"""The command `report`: parse, call, print."""

from __future__ import annotations

from pathlib import Path

import click

from edgeseg.runtime.commands.options import PATH


@click.command()
@click.argument("records", nargs=-1, required=True, type=PATH, metavar="RECORD...")
@click.option(
    "-o",
    "--output",
    type=PATH,
    required=True,
    metavar="PAGE.html",
    help="Where the page goes.",
)
def report(records: tuple[Path, ...], output: Path) -> None:
    """Show records on one self-contained page.

    RECORD is a JSON file that `edgeseg eval`, `edgeseg bench`, `edgeseg doctor
    --json` or another measurement wrote; any mix will do. Models that have both a
    score and a latency, by the hash of their file, meet in one plot. A folder that
    has a folder of records for each board gives a table of the boards, those that
    stand out marked.
    """
    from edgeseg.benchmarks.page.report import write_report
    from edgeseg.runtime.pictures.originals import check_apart

    check_apart(output, *records)
    count = write_report(records, output)
    click.echo(f"{output}: {count} record{'' if count == 1 else 's'}")
