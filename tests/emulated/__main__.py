"""Run edgeseg on another processor: ``python -m emulated``, in ``tests``."""

from __future__ import annotations

import functools
import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click
from emulated.unavailable import UnavailableError
from emulated.x86 import CPUS, make_python

if TYPE_CHECKING:
    from collections.abc import Callable

PATH = click.Path(path_type=Path)
BOARDS = ("pi4", "pi5")
HERE = "here"


@click.group()
def main() -> None:
    """Run edgeseg on another processor than this machine's."""


@main.command(context_settings={"ignore_unknown_options": True})
@click.option("--on", "name", type=click.Choice(CPUS), default=CPUS[0])
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def run(name: str, arguments: tuple[str, ...]) -> None:
    """Run Python with ARGUMENTS on an emulated x86-64 processor.

    Such as: run -m edgeseg.runtime.cli convert animals.keras -o animals.tflite
    """
    with TemporaryDirectory() as folder:
        python = make_python(Path(folder), name)
        sys.exit(os.spawnv(os.P_WAIT, python, [str(python), *arguments]))


@main.command()
@click.argument("folder", type=PATH)
@click.option(
    "--on",
    "names",
    type=click.Choice((*CPUS, *BOARDS)),
    multiple=True,
    default=(*CPUS, BOARDS[-1]),
    show_default=True,
    help="A processor of x86-64, or a board of aarch64.",
)
@click.option("--json", "record", type=PATH, help="Write a JSON record there.")
def convert(folder: Path, names: tuple[str, ...], record: Path | None) -> None:
    """Convert the shipped model here and elsewhere, and count what differs.

    The models are left in FOLDER. A processor takes minutes.
    """
    from emulated.record import measure

    pythons = {HERE: Path(sys.executable)}
    for name in names:
        pythons[name] = _python(name, folder.absolute() / name)
    found = measure(pythons, folder.absolute(), HERE, click.echo)
    if record is not None:
        record.write_text(json.dumps(found, indent=2) + "\n")


def _python(name: str, folder: Path) -> Path:
    if name in CPUS:
        return make_python(folder, name)
    return _maker()(name)


@functools.cache
def _maker() -> Callable[[str], Path]:
    from virtual_pi.boards import BOARDS as KNOWN
    from virtual_pi.pi import default_cache, make_pi
    from virtual_pi.wheels import unpack_edgeseg

    cache = default_cache()
    edgeseg = unpack_edgeseg(cache)
    return lambda name: make_pi(KNOWN[name], cache, edgeseg, converting=True).python


if __name__ == "__main__":
    try:
        main()
    except UnavailableError as error:
        sys.exit(f"not to be had here: {error}")
    except RuntimeError as error:
        sys.exit(f"failed: {error}")
