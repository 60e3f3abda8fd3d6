"""Settings declared once: fields of a frozen dataclass that are options of a command.

`setting` gives a dataclass's field its default and, as metadata, all else that the
option needs. `edgeseg.converter.commands.options` makes the options of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_T = TypeVar("_T")
KEY = "setting"  # of a field's metadata


@dataclass(frozen=True)
class Setting:
    """The option of a field, whose type and default are the field's own.

    Parameters
    ----------
    help : str or None
        Documents the field as well.
    flag : str or None
        Such as ``"--trust-model"``; None is the field's name.
    metavar : str or None
        What the help shows for the value.
    choices : tuple of str
        All that are allowed; none allows any.
    least, most : float or None
        Limits of a number.
    above : bool
        The number must be larger than `least`.
    is_model : bool
        A path that may also be the name of a model that ships.
    words : callable or None
        Returns what a shell completes.
    computed : bool
        The default depends on other options, so that the command finds it.
    """

    help: str | None
    flag: str | None = None
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    above: bool = False
    is_model: bool = False
    words: Callable[[], Iterable[str]] | None = None
    computed: bool = False


def setting(default: _T, option: Setting) -> _T:
    """Return a dataclass field with a default and its option."""
    return field(default=default, metadata={KEY: option})


def json_value(value: object) -> object:
    """Return a setting as JSON can carry it; paths become absolute.

    The process that reads it may have another current folder.
    """
    if isinstance(value, dict):
        return {key: json_value(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_value(entry) for entry in value]
    return str(value.absolute()) if isinstance(value, Path) else value
