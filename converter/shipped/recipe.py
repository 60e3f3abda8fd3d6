"""The recipes of the models that ship, as one command that makes one again.

``python -m edgeseg.converter.shipped.recipe NAME START.h5 VOC OUTPUT`` takes the name
of a model, START.h5, DeepLabv3 on MobileNetV2 1.0 for 513 pixels in the layout of the
public Keras release, and VOC, a folder with ``train-320``, ``train-500``, ``val`` and
``calibration`` in PASCAL VOC's layout. OUTPUT gets the teacher, the training and
``NAME.tflite`` with its ranges. Stopped, it goes on with the same command. ``animals``
takes an hour on two cores, ``voc`` four, most of it for the teacher; what comes out
differs in the last digits from machine to machine.
"""

from __future__ import annotations

from pathlib import Path

import click

from edgeseg.converter.shipped.recipes import RECIPES
from edgeseg.converter.shipped.recipes.recipe import Sources
from edgeseg.devices import EdgesegError
from edgeseg.runtime.commands.options import PATH


@click.command()
@click.argument("name", type=click.Choice(list(RECIPES)))
@click.argument("start", type=PATH)
@click.argument("voc", type=PATH)
@click.argument("output", type=PATH)
def main(name: str, start: Path, voc: Path, output: Path) -> None:
    """Make the model NAME again from START.h5 and the pictures in VOC."""
    sources = Sources(start, voc, output)
    try:
        made = RECIPES[name].make(sources, lambda line: click.echo(line, err=True))
    except EdgesegError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{made.path}  sha256 {made.sha256}")


if __name__ == "__main__":
    main()
