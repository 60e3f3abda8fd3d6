"""The command `dashboards`: parse, call, print."""

from __future__ import annotations

from pathlib import Path

import click

from edgeseg.runtime.commands.options import PATH


@click.command()
@click.argument("folder", type=PATH)
@click.option("--overwrite", is_flag=True, help="Replace files of the same names.")
def dashboards(folder: Path, overwrite: bool) -> None:
    """Write dashboards for Grafana and Home Assistant into FOLDER.

    Grafana shows the figures that Prometheus collects from a page's /metrics; Home
    Assistant gets a blueprint for notifications, and a card.
    """
    from edgeseg.runtime.dashboards.files import write_dashboards

    for name, use in write_dashboards(folder, overwrite=overwrite).items():
        click.echo(f"{folder / name}  ({use})")
