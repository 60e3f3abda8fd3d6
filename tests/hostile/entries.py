"""Commands for the harness alone: functions that a real command reaches too slowly.

`convert` and `finetune` read their files in the middle of minutes of work. Here each
reader is a command of its own, behind the same error handling as the real ones.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
import time
from pathlib import Path

import click

PATH = click.Path(path_type=Path)
# name: (where it lives, its line of help), as the command line's own table has it
ENTRIES = {
    "@calibration": ("hostile.entries:calibration", "Read calibration pictures."),
    "@keras": ("hostile.entries:keras_model", "Load a Keras model."),
    "@remote": ("hostile.entries:remote", "Talk to a board that does not take long."),
    "@ranges": ("hostile.entries:ranges", "Read ranges for the shapes network."),
    "@state": ("hostile.entries:state", "Read the state of a training."),
    "@bad": ("hostile.entries:bad", "Do what no command may do."),
}


def __getattr__(name: str) -> click.Command:
    """Return `remote` with seconds in the place of its minutes."""
    if name != "remote":
        raise AttributeError(name)
    from edgeseg.runtime.commands.remote import remote
    from edgeseg.runtime.remote import link
    from edgeseg.runtime.remote.session import Session

    link.GREETING_S = link.ANSWER_S = link.MAKING_S = 2.0
    Session.__init__.__kwdefaults__["delays_s"] = ()
    return remote


@click.command()
@click.argument("path", type=PATH)
def keras_model(path: Path) -> None:
    """Load a Keras model as `convert` does."""
    from edgeseg.converter.loading.load import load_model

    click.echo(load_model(path).model.output.shape)


@click.command()
@click.argument("path", type=PATH)
def state(path: Path) -> None:
    """Read the state of a training as `finetune` does."""
    from edgeseg.converter.training.state import read_state

    click.echo(read_state(path, {"rate": 0.1}))


@click.command()
@click.argument("path", type=PATH)
def calibration(path: Path) -> None:
    """Choose calibration pictures as `convert` does."""
    from edgeseg.converter.calibration.calibrate import calibration_pictures

    click.echo(len(calibration_pictures(path)))


@click.command()
@click.argument("path", type=PATH)
@click.argument("flat", type=PATH)
def ranges(path: Path, flat: Path) -> None:
    """Read ranges for a float TFLite model and quantize it, as `convert` does."""
    from edgeseg.converter.quantization.flatbuffer import FlatModel
    from edgeseg.converter.quantization.origin import Origin
    from edgeseg.converter.quantization.quantize import Quantization
    from edgeseg.converter.quantization.ranges_file import SavedRanges
    from edgeseg.converter.recipes import load_recipe
    from edgeseg.runtime.pictures.atomic import write_bytes

    content = flat.read_bytes()
    saved = SavedRanges(path).ranges(FlatModel(content), Origin("weights", {}, {}))
    made = Quantization(content, load_recipe("int8"), saved).make()
    write_bytes(Path("int8.tflite"), made)


@click.command()
@click.argument("what")
def bad(what: str) -> None:
    """Break one rule: the judge must see it."""
    _BAD[what]()


def _leave_child() -> None:
    if os.fork() == 0:
        time.sleep(60)
        os._exit(0)


def _write(path: str, data: bytes = b"x") -> None:
    Path(path).write_bytes(data)


def _fail_after(path: str, data: bytes) -> None:
    _write(path, data)
    raise click.ClickException("it did not work")


def _take_memory() -> None:
    click.echo(len(b"x" * (200 << 20)))


_BAD = {
    "good": lambda: None,
    "refusal": functools.partial(_fail_after, "found.jsonl", b'{"a": 1}\n'),
    "signal": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "abort": os.abort,
    "traceback": lambda: 1 / 0,
    "hang": lambda: time.sleep(600),
    "memory": _take_memory,
    "half picture": functools.partial(_fail_after, "out.png", b"\x89PNG\r\n\x1a\n"),
    "half lines": functools.partial(_fail_after, "found.jsonl", b'{"a": 1}\n{"b"'),
    "empty lines": functools.partial(_fail_after, "found.jsonl", b""),
    "outside": functools.partial(_write, "../outside/victim.txt"),
    "home": lambda: _write(os.environ["HOME"] + "/.profile"),
    "input": functools.partial(_write, "model.tflite"),
    "temporary": lambda: _write(os.environ["TMPDIR"] + "/left"),
    "part": functools.partial(_write, "out.part.png"),
    "child": _leave_child,
    "noise": lambda: print("libfoo warning: odd", file=sys.stderr),
    "escape": lambda: print("Warning: \x1b[2Jx", file=sys.stderr),
    "long": lambda: print("Warning: " + "x" * 5000, file=sys.stderr),
    "two errors": lambda: (
        _fail_after("out.png", b"")
        if click.echo("Error: one", err=True)
        else sys.exit("Error: two")
    ),
    "silence": lambda: sys.exit(1),
    "nothing written": lambda: None,
    "status": lambda: sys.exit(3),
}
