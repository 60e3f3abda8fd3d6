"""Command-line options that several measuring commands share."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from edgeseg.runtime.commands.options import (
    matching_of,
    overrides_of,
    scoring_options,
)
from edgeseg.runtime.terminal.progress import ProgressLine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from edgeseg.benchmarks.accuracy.subject import EvalScope, Subject
    from edgeseg.devices.types import Json

_F = TypeVar("_F", bound="Callable[..., Any]")

TRUTH_LABELS = click.option(
    "--truth-labels",
    metavar="NAME|FILE",
    help="Class names of the masks' ids, as --labels; ade20k-mlperf32 takes ADE20K's "
    "masks as MLPerf does.  [default: labels.txt of the data set, else its layout's]",
)
LIMIT = click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="Take the first N pictures.  [default: all]",
)
OTHER_MODEL = click.option(
    "--other-model",
    is_flag=True,
    help="Take a model that was converted from another one than the reference.",
)


def scope_options(function: _F) -> _F:
    """Add --truth-labels and --limit to `scoring_options`."""
    return scoring_options(TRUTH_LABELS(LIMIT(function)))


def scope_of(values: Json) -> EvalScope:
    """Take the values of `scope_options`, but for the labels, out of arguments.

    Raises
    ------
    InputError
        See `matching_of`.
    """
    from edgeseg.benchmarks.accuracy.subject import EvalScope

    matching = matching_of(values)
    return EvalScope(values.pop("split"), values.pop("limit"), matching)


@contextmanager
def open_subject(
    model: Path, root: Path, split: str, values: Json
) -> Iterator[Subject]:
    """Open a model on a data set; closed at the end.

    Parameters
    ----------
    model, root : Path
        The model file, the data set's folder.
    split : str
        Name of the list of pictures.
    values : dict
        Of `device_options`, `override_options` and ``truth_labels``.
    """
    from edgeseg.benchmarks.accuracy.subject import Subject
    from edgeseg.benchmarks.record import open_model
    from edgeseg.runtime.accuracy.open import open_dataset

    dataset = open_dataset(root, split, labels=values["truth_labels"])
    overrides = overrides_of(values)
    with open_model(model, values["device"], values["threads"], overrides) as segmenter:
        if not segmenter.manifest.labels:
            click.echo(
                f"Note: {model.name} names no classes; taking the data set's "
                f"{len(dataset.labels)} (--labels says otherwise)",
                err=True,
            )
        yield Subject(model, segmenter, root, dataset)


@contextmanager
def progress_of(total: int) -> Iterator[ProgressLine]:
    """Show a line of progress that is removed whatever happens."""
    line = ProgressLine(total)
    try:
        yield line
    finally:
        line.end()


def report_resumed(where: Path) -> Callable[[int], None]:
    """Return what reports that a run goes on."""
    return lambda done: click.echo(
        f"Note: going on after {done} pictures that are done ({where})", err=True
    )
