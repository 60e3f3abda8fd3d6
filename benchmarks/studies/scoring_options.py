"""What studies that score networks are told: which pictures, which classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import click

from edgeseg.runtime.accuracy.matching import Matching

if TYPE_CHECKING:
    from collections.abc import Callable

_Command = TypeVar("_Command", bound="Callable[..., object]")


def scoring_options(command: _Command) -> _Command:
    """Add ``--split``, ``--classes`` and ``--note`` to a study."""
    for option in (
        click.option("--note", default="", help="What else the record is to say."),
        click.option(
            "--classes",
            default="background,person,cat,dog,horse,cow,sheep",
            show_default=True,
            help="Labels of the data set that count; others are background.",
        ),
        click.option("--split", default="val", show_default=True),
    ):
        command = option(command)
    return command


def matching_of(classes: str) -> Matching:
    """Return what ``--classes`` means."""
    return Matching(tuple(classes.split(",")), merge_others=True)


def say(line: str) -> None:
    """Report progress."""
    click.echo(line, err=True)
