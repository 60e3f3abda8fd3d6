"""The command `check`: parse, call, print."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edgeseg.runtime.options import MODEL

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("model", type=MODEL)
@click.option(
    "--device",
    required=True,
    metavar="NAME",
    help="coral (Edge TPU), raspberry_pi or desktop (XNNPACK), jetson (GPU).",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(model: Path, device: str, as_json: bool) -> None:
    """Show which processor of a board runs each operator, and what to change.

    For a Coral and a Jetson the answer is predicted from the published constraints of
    their compiler and delegate; for XNNPACK the interpreter of this machine is asked.
    """
    from edgeseg.runtime.json_text import json_text
    from edgeseg.runtime.placement import check_model
    from edgeseg.runtime.placement.text import placement_text

    result = check_model(model, device)
    text = json_text(result.to_dict(), indent=2) if as_json else placement_text(result)
    click.echo(text)
