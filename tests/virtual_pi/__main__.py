"""Make virtual Raspberry Pis and use them: ``python -m virtual_pi``, in ``tests``."""

from __future__ import annotations

import functools
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from emulated.unavailable import UnavailableError
from virtual_pi.boards import BOARDS
from virtual_pi.pi import default_cache, make_pi
from virtual_pi.wheels import CHECKOUT, INTERPRETERS, unpack_edgeseg

if TYPE_CHECKING:
    from collections.abc import Callable

    from virtual_pi.pi import VirtualPi

PATH = click.Path(path_type=Path)
_SUITE = ("tests/devices", "tests/runtime")


@click.group()
@click.option(
    "--cache",
    type=PATH,
    default=default_cache,
    help="Where userland, wheels and boards are kept.  [default: in the user's cache]",
)
@click.option("--wheel", type=PATH, help="edgeseg to use.  [default: built from here]")
@click.pass_context
def main(context: click.Context, cache: Path, wheel: Path | None) -> None:
    """Run edgeseg on emulated Raspberry Pis: Debian 12, aarch64, real wheels."""
    context.obj = {"cache": cache.absolute(), "wheel": wheel}


def _maker(options: dict) -> Callable[..., VirtualPi]:
    """Return `make_pi` for boards with one and the same edgeseg."""
    edgeseg = unpack_edgeseg(**options)
    return functools.partial(make_pi, cache=options["cache"], edgeseg=edgeseg)


@main.command()
@click.pass_obj
def build(options: dict) -> None:
    """Fetch what all boards need, and lay them out."""
    make = _maker(options)
    for interpreter in INTERPRETERS:
        for board in BOARDS.values():
            for testing in (False, True):
                pi = make(board, interpreter=interpreter, testing=testing)
                click.echo(pi.folder)


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("board", type=click.Choice(sorted(BOARDS)))
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.option("--interpreter", type=click.Choice(INTERPRETERS), default="litert")
@click.option("--python", "as_python", is_flag=True, help="ARGUMENTS are Python's.")
@click.pass_obj
def run(
    options: dict, board: str, arguments: tuple, interpreter: str, as_python: bool
) -> None:
    """Run edgeseg ARGUMENTS on a board, such as: run pi4 doctor."""
    pi = _maker(options)(BOARDS[board], interpreter=interpreter)
    program = pi.python if as_python else pi.edgeseg
    os.execv(program, [str(program), *arguments])


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("board", type=click.Choice(sorted(BOARDS)))
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.option("--interpreter", type=click.Choice(INTERPRETERS), default="litert")
@click.option("--examples", default=10, help="Of each property.", show_default=True)
@click.pass_obj
def suite(
    options: dict, board: str, arguments: tuple, interpreter: str, examples: int
) -> None:
    """Run the tests of devices and runtime on a board; ARGUMENTS are pytest's."""
    pi = _maker(options)(BOARDS[board], interpreter=interpreter, testing=True)
    os.chdir(CHECKOUT)
    folders = any(Path(word.partition("::")[0]).exists() for word in arguments)
    chosen = arguments if folders else (*_SUITE, *arguments)
    os.environ["EDGESEG_EXAMPLES"] = str(examples)
    # no cache folder: the boards and this machine would share it
    command = ["-m", "pytest", "-p", "no:cacheprovider", "-m", "not long"]
    os.execv(pi.python, [str(pi.python), *command, *chosen])


@main.command()
@click.argument("shared", type=PATH)
@click.option("--agreement", default=10, help="Pictures.", show_default=True)
@click.option("--scored", default=20, help="Pictures.", show_default=True)
@click.option("--json", "record", type=PATH, help="Write a JSON record there.")
@click.pass_obj
def measure(
    options: dict, shared: Path, agreement: int, scored: int, record: Path | None
) -> None:
    """Hold the boards' labels and scores against this machine's.

    SHARED is a folder of real models and photos.
    """
    from virtual_pi.measure import Amount
    from virtual_pi.measure import measure as measure_boards

    make = _maker(options)
    pis = [
        make(BOARDS[board], interpreter=interpreter)
        for board, interpreter in (
            ("pi4", "litert"),
            ("pi5", "litert"),
            ("pi4", "tflite-runtime"),
        )
    ]
    found = measure_boards(
        pis, shared.absolute(), Amount(agreement, scored), click.echo
    )
    if record is not None:
        record.write_text(json.dumps(found, indent=2) + "\n")


@main.command()
@click.argument("models", nargs=-1, required=True, type=PATH)
@click.option("--json", "record", type=PATH, help="Write a JSON record there.")
@click.pass_obj
def instructions(options: dict, models: tuple[Path, ...], record: Path | None) -> None:
    """Count the instructions of an inference of MODELS; ratios are to the first."""
    from virtual_pi.instructions import count

    make = _maker(options)
    pis = [make(board) for board in BOARDS.values()]
    found = count(pis, models, click.echo)
    if record is not None:
        record.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    try:
        main()
    except UnavailableError as error:
        sys.exit(f"no virtual Pi: {error}")
