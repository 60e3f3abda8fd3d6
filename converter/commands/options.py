"""Options made of a dataclass's settings, and the dataclass made of their values."""

from __future__ import annotations

import types
from dataclasses import Field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

import click

from edgeseg.converter.setting import KEY, Setting
from edgeseg.runtime.commands.options import MODEL, PATH, FloatRange, ModelParam
from edgeseg.runtime.terminal.completion import complete_words

if TYPE_CHECKING:
    from collections.abc import Callable

    Option = Callable[[Any], Any]  # a decorator of click, which takes any command
    Values = dict[str, Any]  # what click hands a command, by the options' names

_S = TypeVar("_S")


class InputSizeParam(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """``N`` or ``HxW``: a picture's size in pixels."""

    name = "N|HxW"

    def convert(
        self,
        value: str | tuple[int, int],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[int, int]:
        """Parse the text."""
        if isinstance(value, tuple):
            return value
        try:
            sides = [int(part) for part in value.lower().split("x")]
        except ValueError:
            sides = []
        if len(sides) not in (1, 2) or not all(0 < side < 1 << 14 for side in sides):
            self.fail(f"expected a size such as 257 or 257x513 (H x W), got {value!r}")
        return sides[0], sides[-1]


class KerasParam(ModelParam):
    """A Keras model, or the name of one that comes with the package."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """Return the path; a file of that name comes first."""
        from edgeseg.converter.shipped import find_keras

        return super().convert(find_keras(value), param, ctx)


KERAS_MODEL = KerasParam()


def declared(settings: type, first: str = "", last: str = "") -> list[Option]:
    """Return options of a dataclass's settings, in the order of its fields.

    Parameters
    ----------
    settings : type
        A dataclass; see `setting`.
    first, last : str
        Fields to begin and to end with; `first` alone takes that one, none of them
        takes all.
    """
    found = [each for each in fields(settings) if KEY in each.metadata]
    names = [each.name for each in found]
    if first:
        found = found[names.index(first) : names.index(last or first) + 1]
    hints = get_type_hints(settings)
    return [_option(each, hints[each.name]) for each in found]


def take(settings: type[_S], values: Values, **given: object) -> _S:
    """Take a dataclass's settings out of a command's arguments.

    Parameters
    ----------
    settings : type
        A dataclass whose options the command has.
    values : dict
        The command's arguments; those of the settings are removed.
    **given : object
        Fields that are no options, and fields to take from here.
    """
    hints = get_type_hints(settings)
    for each in fields(settings):  # type: ignore[arg-type]
        if KEY in each.metadata and each.name not in given:
            value = values.pop(_flag(each).removeprefix("--").replace("-", "_"))
            given[each.name] = _of_type(value, _kind(hints[each.name]))
    return settings(**given)


def _option(each: Field[Any], hint: object) -> Option:
    declared: Setting = each.metadata[KEY]
    kind, flag = _kind(hint), _flag(each)
    is_flag = kind is bool and not each.default
    if kind is bool and each.default:
        flag = f"{flag}/--no-{flag.removeprefix('--')}"
    default = None if declared.computed else each.default
    extra: Values = {}
    if not is_flag and default is not None:
        extra = {
            "default": str(default) if declared.choices else default,
            "show_default": True,
        }
    if declared.words is not None:
        extra["shell_complete"] = complete_words(declared.words)
    return click.option(
        flag,
        type=None if kind is bool else _type(declared, kind),
        is_flag=is_flag or None,
        metavar=declared.metavar,
        help=declared.help,
        **extra,
    )


def _flag(each: Field[Any]) -> str:
    declared: Setting = each.metadata[KEY]
    return declared.flag or f"--{each.name.replace('_', '-')}"


def _kind(hint: object) -> object:
    """Return a field's type without the None that stands for no value."""
    if not isinstance(hint, types.UnionType):
        return hint
    return next(one for one in get_args(hint) if one is not types.NoneType)


def _type(declared: Setting, kind: object) -> click.ParamType | None:  # type: ignore[type-arg, unused-ignore]
    if declared.choices:
        return click.Choice(declared.choices)
    if declared.is_model:
        return MODEL
    if kind is Path:
        return PATH
    if kind == tuple[int, int]:
        return InputSizeParam()
    limits = (declared.least, declared.most)
    if kind is int and limits != (None, None):
        least, most = (None if one is None else int(one) for one in limits)
        return click.IntRange(least, most)
    if kind is float:
        return FloatRange(*limits, min_open=declared.above)
    return click.INT if kind is int else None


def _numbers(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        return tuple(int(number) for number in text.split(","))
    except ValueError:
        raise click.BadParameter(
            f"expected whole numbers such as 449,513, got {text!r}"
        ) from None


def _of_type(value: Any, kind: object) -> object:
    """Return a value as its field has it: click gives choices and lists as texts."""
    if kind is int and isinstance(value, str):
        return int(value)
    if kind == tuple[int, ...]:
        return _numbers(value)
    if kind == tuple[str, ...]:
        return tuple(name.strip() for name in value.split(",")) if value else None
    return value
