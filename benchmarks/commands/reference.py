"""The command that makes a reference: parse, call, print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeseg.benchmarks.commands.options import (
    open_subject,
    progress_of,
    report_resumed,
    scope_of,
    scope_options,
)
from edgeseg.converter.commands.options import KERAS_MODEL
from edgeseg.runtime.commands.options import PATH, device_options, override_options
from edgeseg.runtime.terminal.console import show

if TYPE_CHECKING:
    from edgeseg.devices.types import Json


@click.command()
@click.argument("model", type=KERAS_MODEL)
@click.argument("dataset", type=PATH)
@click.option(
    "-o", "--output", "folder", type=PATH, required=True, help="Folder to fill."
)
@scope_options
@device_options
@override_options
def reference(model: Path, dataset: Path, folder: Path, **values: object) -> None:
    """Record what a model answers on a data set, to hold others against.

    MODEL is usually the float Keras model, of any format that convert takes, on
    Keras' backend (KERAS_BACKEND chooses it), and `animals` is the one that ships; a
    .tflite file will do. A run that was
    stopped goes on when it is repeated.

    \b
    The folder gets
      reference.json     scores, device, backend, versions, hashes
      pictures.jsonl     the counts of each picture
      ids/NAME.png       label maps at the pictures' own size
    """  # noqa: D301 (click needs the character itself)
    from edgeseg.benchmarks.accuracy.evaluate import eval_text
    from edgeseg.benchmarks.accuracy.make_reference import make_reference
    from edgeseg.benchmarks.record import is_record
    from edgeseg.runtime.pictures.atomic import check_writable
    from edgeseg.runtime.pictures.originals import check_apart

    check_writable(folder / "reference.json")
    if not is_record(folder / "reference.json"):
        check_apart(folder, model, dataset)
    scope = scope_of(values)
    with (
        open_subject(model, dataset, scope.split, values) as subject,
        progress_of(len(subject.dataset.ids[: scope.limit])) as line,
    ):
        record = make_reference(
            subject,
            folder,
            scope,
            resumed=report_resumed(folder),
            progress=lambda done, _: line.show(done),
        )
    show(eval_text(record))
    chip = record["processor"]
    show(f"{folder} made on {chip['name']} by {_runtime(record)}")


def _runtime(record: Json) -> str:
    device = record["device"]
    backend = f" ({device['backend']})" if "backend" in device else ""
    return f"{device['runtime']} {device['version']}{backend}"
