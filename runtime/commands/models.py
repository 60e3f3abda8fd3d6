"""The command `models`: parse, call, print."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from edgeseg.runtime.shipped.catalogue import PublicFile, ShippedModel

_MB = 1e6
_WIDTH = 78  # columns that a list of classes may take


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def models(as_json: bool) -> None:
    """Show the models that come with edgeseg, and those that fetch knows.

    A name stands for the model wherever a command takes one: edgeseg run voc
    photo.jpg -o out.png.
    """
    from edgeseg.runtime.json_text import json_text
    from edgeseg.runtime.shipped.catalogue import catalogue, releases, shipped_models

    if as_json:
        click.echo(json_text(catalogue(), indent=2))
        return
    lines = ["come with edgeseg (edgeseg run NAME photo.jpg -o out.png):"]
    for model in shipped_models():
        lines += _shipped_lines(model)
    lines += ["", "public files (edgeseg fetch NAME):"]
    for release in releases().values():
        lines += _release_lines(release)
    click.echo("\n".join(lines))


def _shipped_lines(model: ShippedModel) -> list[str]:
    import textwrap

    height, width = model.size
    indent = " " * 4
    classes = f"{len(model.classes)} classes: {', '.join(model.classes)}"
    return [
        f"  {model.name}",
        f"{indent}{model.what}, {width}x{height}, {model.bytes / _MB:.1f} MB",
        *textwrap.wrap(
            classes, _WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  "
        ),
        f"{indent}mIoU {model.miou:.2f} %: {model.miou_on}",
        f"{indent}licence: {model.licence}",
    ]


def _release_lines(release: PublicFile) -> list[str]:
    return [
        f"  {release.name}",
        f"    {release.what}, {release.bytes / _MB:.1f} MB",
        f"    licence: {release.licence}",
    ]
