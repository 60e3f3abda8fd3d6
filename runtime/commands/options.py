"""Command-line options that several commands share, and settings made of options."""

from __future__ import annotations

import functools
import math
import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from edgeseg.devices import InputError
from edgeseg.devices.plain_files import check_file_or_folder
from edgeseg.runtime.model.overrides import IMAGENET, Overrides
from edgeseg.runtime.terminal.completion import complete_words

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import Field
    from typing import TypeAlias

    from _typeshed import DataclassInstance
    from click.shell_completion import CompletionItem

    from edgeseg.devices.types import Json
    from edgeseg.runtime.accuracy.matching import Matching

_F = TypeVar("_F", bound="Callable[..., Any]")
_S = TypeVar("_S", bound="DataclassInstance")
_R = TypeVar("_R")
if TYPE_CHECKING:
    _Decorator: TypeAlias = Callable[[Callable[..., _R]], Callable[..., _R]]


class PathParam(click.Path):
    """A file or folder: of what is there, nothing else is taken."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """Return the path."""
        if value == "":  # as of a shell's variable that is not set
            self.fail("expected a path, got an empty text", param, ctx)
        path = super().convert(value, param, ctx)
        check_file_or_folder(Path(os.fsdecode(path)))
        return path


PATH = PathParam()


class FloatRange(click.FloatRange):
    """A number within limits; not a number (``nan``) is in no range."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """Return the number."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number


class ModelParam(PathParam):
    """A model file, or the name of a model that is installed or ships."""

    name = "MODEL"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """Return the path; a file of that name comes first."""
        from edgeseg.runtime.shipped import find_model

        return super().convert(find_model(value), param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer the names, and model files."""
        from edgeseg.runtime.installation.store import installed_names
        from edgeseg.runtime.shipped import MODEL_NAMES
        from edgeseg.runtime.terminal.completion import model_items

        return model_items(incomplete, (*MODEL_NAMES, *installed_names()))


MODEL = ModelParam()


class NormalizeParam(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """``MEAN,STD``: two or six numbers in pixel units, or ``imagenet``."""

    name = "MEAN,STD"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """Parse the text."""
        if isinstance(value, tuple):
            return value
        if value == "imagenet":
            return IMAGENET
        try:
            numbers = tuple(float(part) for part in value.split(","))
        except ValueError:
            numbers = ()
        half = len(numbers) // 2
        if len(numbers) not in (2, 6):
            self.fail(
                "expected two numbers such as 127.5,127.5, six (three means, three "
                f"deviations) or imagenet; got {value!r}"
            )
        if not all(map(math.isfinite, numbers)) or 0 in numbers[half:]:
            self.fail(f"mean and std must be finite, std not 0; got {value!r}")
        return numbers


def option(*flags: str, default: Any = None, **attributes: Any) -> Any:
    """Return a field of settings that is an option of a command: declared once.

    Parameters
    ----------
    *flags : str
        Such as ``"-o", "--output"``; the field's name is the parameter's.
    default : object
        Of the option and the field.
    **attributes : object
        What `click.option` takes beside them.
    """
    return field(default=default, metadata={"flags": flags, "attributes": attributes})


def settings_options(kind: type[_S]) -> _Decorator[_R]:
    """Give a command the options of a settings class, and their values as ``settings``.

    Parameters
    ----------
    kind : type
        A dataclass; its fields made by `option` become options, in their order. Other
        fields are arguments that the command declares itself.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Settings:
    ...     threads: int | None = option("--threads", type=int)
    >>> @click.command()
    ... @settings_options(Settings)
    ... def command(settings):
    ...     print(settings)
    >>> command(["--threads", "4"], standalone_mode=False)
    Settings(threads=4)
    """

    def decorate(function: Callable[..., _R]) -> Callable[..., _R]:
        @functools.wraps(function)
        def call(*arguments: Any, **values: Any) -> _R:
            own = {each.name: values.pop(each.name) for each in fields(kind)}
            return function(*arguments, settings=kind(**own), **values)

        return add_options(call, *(_click_option(each) for each in _options(kind)))

    return decorate


def _options(kind: type[Any]) -> list[Field[Any]]:
    return [each for each in fields(kind) if "flags" in each.metadata]


def _click_option(setting: Field[Any]) -> Callable[[_F], _F]:
    attributes = dict(setting.metadata["attributes"])
    if not any(setting.default is none for none in (None, False, ())):
        attributes["default"] = setting.default
    return click.option(*setting.metadata["flags"], setting.name, **attributes)


def add_options(function: _F, *options: Callable[[_F], _F]) -> _F:
    """Add options to a command, in the order that its help shows them."""
    for option in reversed(options):
        function = option(function)
    return function


def _label_sets() -> tuple[str, ...]:
    from edgeseg.runtime.model.labels import known_label_sets

    return known_label_sets()


def device_names() -> tuple[str, ...]:
    """Return what --device takes, without the units."""
    from edgeseg.devices import DEVICES

    return ("auto", *DEVICES.names())


@dataclass(frozen=True, kw_only=True)
class OverrideSettings:
    """What a user says of a model."""

    labels: str | None = option(
        "--labels",
        metavar="NAME|FILE",
        shell_complete=complete_words(_label_sets),
        help="Class names: pascal-voc, ade20k, ade20k-mlperf32, cityscapes, or a "
        "text file with one name a line.  [default: the model's own]",
    )
    normalize: tuple[float, ...] | None = option(
        "--normalize",
        type=NormalizeParam(),
        help="The network sees (pixel - MEAN) / STD, pixel in 0..255; six numbers are "
        "one a channel, and imagenet is its mean and deviation.  [default: the "
        "model's own, else 127.5,127.5]",
    )
    bgr: bool = option(
        "--bgr", default=False, is_flag=True, help="The network was trained on BGR."
    )
    stretch: bool = option(
        "--stretch",
        default=False,
        is_flag=True,
        help="Stretch pictures to the input size instead of letterboxing them.",
    )
    output_name: str | None = option(
        "--output-name",
        metavar="NAME|NUMBER",
        help="Output to take of a model that has several.  [default: the largest map, "
        "of several the last]",
    )

    @property
    def overrides(self) -> Overrides:
        """The same, as a manifest takes it."""
        return Overrides(
            self.labels, self.normalize, self.bgr, self.stretch, self.output_name
        )


@dataclass(frozen=True, kw_only=True)
class DeviceSettings:
    """What runs a model."""

    device: str = option(
        "--device",
        default="auto",
        show_default=True,
        shell_complete=complete_words(device_names),
        help="What runs the model: NAME, NAME:UNIT or NAME:UNIT:N, such as "
        "coral:usb:0; edgeseg devices lists them.",
    )
    threads: int | None = option(
        "--threads",
        type=click.IntRange(1, 1024),
        help="Threads of an inference.  [default: left to the device]",
    )


def override_options(function: _F) -> _F:
    """Add --labels, --normalize, --bgr, --stretch and --output-name."""
    return add_options(function, *map(_click_option, _options(OverrideSettings)))


def device_options(function: _F) -> _F:
    """Add --device and --threads."""
    return add_options(function, *map(_click_option, _options(DeviceSettings)))


def scoring_options(function: _F) -> _F:
    """Add --split, --classes and --merge-others."""
    options = (
        click.option(
            "--split", default="val", show_default=True, help="List of pictures."
        ),
        click.option(
            "--classes",
            metavar="A,B,C",
            help="Average over these classes.  "
            "[default: all that model and data set share]",
        ),
        click.option(
            "--merge-others",
            is_flag=True,
            help="Count classes not named in --classes as background, in truth and "
            "prediction.",
        ),
    )
    return add_options(function, *options)


def matching_of(values: Json) -> Matching:
    """Take --classes and --merge-others out of a command's arguments.

    Raises
    ------
    InputError
        Others are to be merged, but none are named.
    """
    from edgeseg.runtime.accuracy.matching import Matching

    text, merge_others = values.pop("classes"), values.pop("merge_others")
    names = tuple(name.strip() for name in text.split(",")) if text else None
    if merge_others and not names:
        raise InputError("--merge-others needs --classes: which are the others?")
    return Matching(names, merge_others)


def overrides_of(values: Json) -> Overrides:
    """Take the values of `override_options` out of a command's arguments."""
    keys = ("labels", "normalize", "bgr", "stretch", "output_name")
    return Overrides(**{key: values.pop(key) for key in keys})
