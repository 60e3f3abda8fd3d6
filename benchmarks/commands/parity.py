"""The commands that hold models against each other: parse, call, print."""

from __future__ import annotations

from pathlib import Path

import click

from edgeseg.benchmarks.commands.options import (
    LIMIT,
    OTHER_MODEL,
    TRUTH_LABELS,
    open_subject,
    progress_of,
)
from edgeseg.runtime.commands.options import (
    MODEL,
    PATH,
    FloatRange,
    device_options,
    override_options,
    overrides_of,
)
from edgeseg.runtime.json_text import json_text
from edgeseg.runtime.terminal.completion import complete_file
from edgeseg.runtime.terminal.console import show


@click.command()
@click.argument("model", type=MODEL)
@click.argument("ref", type=PATH)
@click.option(
    "--dataset",
    type=PATH,
    metavar="DIR",
    help="Where the pictures are.  [default: where they were for the reference]",
)
@click.option(
    "--least",
    type=FloatRange(0, 1),
    metavar="SHARE",
    help="Exit with 1 where fewer labels are equal, such as 0.98.",
)
@LIMIT
@TRUTH_LABELS
@OTHER_MODEL
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@device_options
@override_options
def parity(
    model: Path,
    ref: Path,
    dataset: Path | None,
    least: float | None,
    limit: int | None,
    other_model: bool,
    as_json: bool,
    **values: object,
) -> None:
    """Show how many labels a model has in common with a reference.

    REF is a folder that edgeseg reference filled, here or on another machine. All
    labels being equal is not to be expected: another processor rounds another way.
    """
    from edgeseg.benchmarks.accuracy.evaluate import check_reference
    from edgeseg.benchmarks.accuracy.reference import dataset_of, open_reference
    from edgeseg.benchmarks.accuracy.subject import EvalScope
    from edgeseg.benchmarks.parity.against_reference import measure_parity

    opened = open_reference(ref)
    root, split = dataset or dataset_of(ref), opened.record["split"]
    count = len(opened.names[:limit])
    with open_subject(model, root, split, values) as subject:
        scope = EvalScope(split, count)
        check_reference(opened, subject, scope, any_model=other_model)
        with progress_of(count) as line:
            flips = measure_parity(
                subject.segmenter,
                opened,
                subject.dataset,
                limit=limit,
                progress=lambda done, _: line.show(done),
            )
    if as_json:
        click.echo(json_text(flips.to_dict(), indent=2))
    else:
        show(flips.to_text())
    if least is not None and flips.agreement < least:
        raise click.ClickException(
            f"{flips.agreement:.4%} of labels are equal to the reference's, expected "
            f"at least {least:.4%}"
        )


@click.command()
@click.argument("first", type=MODEL)
@click.argument("second", type=MODEL)
@click.argument("source", shell_complete=complete_file)
@LIMIT
@click.option(
    "--layers",
    is_flag=True,
    help="Also name the first operator whose output differs (two .tflite files of one "
    "network).",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@device_options
@override_options
def compare(
    first: Path,
    second: Path,
    source: str,
    limit: int | None,
    layers: bool,
    as_json: bool,
    device: str,
    threads: int | None,
    **overrides: object,
) -> None:
    """Show how alike two models answer on pictures without truth.

    FIRST and SECOND are .tflite files or float Keras models with the same classes;
    SOURCE is what edgeseg run takes: a picture, a folder, a glob pattern, a video.
    """
    from edgeseg.benchmarks.parity.compare import run_compare

    record = run_compare(
        (first, second),
        source,
        device=device,
        threads=threads,
        overrides=overrides_of(overrides),
        limit=limit,
        layers=layers,
    )
    if as_json:
        click.echo(json_text(record.to_dict(), indent=2))
    else:
        show(record.to_text())
