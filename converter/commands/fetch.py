"""The command `fetch`: parse, call, print."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path

import click

from edgeseg.runtime.commands.options import PATH
from edgeseg.runtime.json_text import json_text
from edgeseg.runtime.terminal.progress import ProgressLine

_MB = 1_000_000


@click.command()
@click.argument("name", required=False)
@click.option(
    "-o",
    "--output",
    type=PATH,
    metavar="FILE",
    help="The file to write.  [default: the release's own name, here]",
)
@click.option("--list", "list_all", is_flag=True, help="List the known releases.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def fetch(name: str | None, output: Path | None, list_all: bool, as_json: bool) -> None:
    """Fetch a public model by name, checked by its SHA-256.

    NAME is one of those that --list shows: Keras weights to convert, and ready TFLite
    files. A file that is there already and has the right SHA-256 is not fetched again.
    """
    if list_all == (name is not None):
        raise click.UsageError("expected either a NAME or --list")
    if name is None:
        click.echo(_listing(as_json))
        return
    from edgeseg.converter.fetch import fetch as fetch_release
    from edgeseg.converter.fetch import find_release

    release = find_release(name)
    line = ProgressLine(release.bytes, unit=_MB)
    try:
        path = fetch_release(
            release, output=output, progress=lambda done: line.show(done, "MB")
        )
    finally:
        line.end()
    command = release.next.format(file=shlex.quote(str(path)))
    if as_json:
        record = {"path": str(path), **dataclasses.asdict(release), "next": command}
        click.echo(json_text(record, indent=2))
    else:
        click.echo(
            f"{path}  {release.bytes:,} bytes  sha256 {release.sha256}\n"
            f"{release.what}; licence: {release.licence}\nnext: {command}"
        )


def _listing(as_json: bool) -> str:
    from edgeseg.runtime.shipped.catalogue import releases

    known = releases().values()
    if as_json:
        return json_text([dataclasses.asdict(release) for release in known], indent=2)
    return "\n".join(
        f"{release.name}\n    {release.what}, {release.bytes / _MB:.1f} MB\n"
        f"    licence: {release.licence}\n    {release.url}\n"
        f"    sha256 {release.sha256}"
        for release in known
    )
