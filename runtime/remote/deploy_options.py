"""What is deployed to a board, as options of a command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from edgeseg.runtime.options import add_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.runtime.remote.deploying import Wanted

_F = TypeVar("_F", bound="Callable[..., Any]")


def deploy_options(function: _F) -> _F:
    """Give a command the options that say what is deployed."""
    return add_options(
        function,
        click.option(
            "--offline",
            is_flag=True,
            help="Fetch what the wheel needs here and copy it: the board needs no "
            "internet.",
        ),
        click.option(
            "--wheel",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Deploy this wheel.  [default: the edgeseg that runs here]",
        ),
        click.option(
            "--extra",
            "extras",
            multiple=True,
            metavar="NAME",
            help="Install an extra there too: web, video or mqtt.",
        ),
        click.option(
            "--system-packages",
            is_flag=True,
            help="Let it see packages of the board's own Python, such as Picamera2.",
        ),
    )


def wanted(values: dict[str, Any]) -> Wanted:
    """Return what a command's values ask for."""
    from edgeseg.runtime.remote.deploying import Wanted

    return Wanted(
        values["wheel"],
        tuple(dict.fromkeys(values["extras"])),
        offline=values["offline"],
        system=values["system_packages"],
    )
