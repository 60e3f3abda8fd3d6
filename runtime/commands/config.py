"""A run's options from a TOML file: the same keys as on the command line.

::

    model = "deeplab.tflite"          # paths are relative to this file
    source = "rtsp://camera/stream"
    output = ["web:0.0.0.0:8080", "masks:found/"]
    threads = 4
    contours = true
"""

from __future__ import annotations

import difflib
import importlib
import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from edgeseg.devices import InputError
from edgeseg.devices.plain_files import check_file_or_folder
from edgeseg.devices.plain_text import reason_of, shortened
from edgeseg.runtime.address import STDOUT
from edgeseg.runtime.commands.camera_tables import TABLES, cameras_in, with_cameras
from edgeseg.runtime.commands.options import PATH
from edgeseg.runtime.commands.zone_options import TableParam
from edgeseg.runtime.output.secret_files import check_private, secrets_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edgeseg.devices.types import Json, Module
    from edgeseg.runtime.address import AddressBook

_F = TypeVar("_F", bound="Callable[..., object]")
_FILE = "edgeseg.config"  # key of a context's ``meta``
_NOT_KEYS = frozenset({"config", "help"})


def load_config(path: Path, command: click.Command) -> Json:
    """Return the arguments that a configuration file gives to a command.

    Parameters
    ----------
    path : Path
        A TOML file.
    command : click.Command
        Whose arguments and options it holds, such as ``edgeseg run``.

    Returns
    -------
    dict of str to object
        Values by the names of the command's parameters, as click's ``default_map``
        takes them; file names are absolute.

    Raises
    ------
    InputError
        The file cannot be read, or a key is unknown or has a wrong value; the message
        names the key and says what was expected.
    """
    known, values = _known(command), _read(path)
    cameras = values.pop(TABLES, None) if "source" in known else None
    if cameras is None:
        arguments = _arguments(path, str(path), values, known)
    else:

        def checked(
            where: str, table: Json, keys: Mapping[str, click.Parameter]
        ) -> Json:
            return _arguments(path, where, table, keys)

        arguments = with_cameras(path, values, cameras, known, checked)
    _check_private(path, arguments)
    return arguments


def _arguments(
    path: Path,
    where: str,
    values: Mapping[str, Any],
    known: Mapping[str, click.Parameter],
) -> Json:
    """Return checked values by the names of their parameters."""
    arguments: Json = {}
    for key, value in values.items():
        name = key.replace("_", "-")
        if name not in known:
            raise InputError(f"{where}: {_unknown(key, known)}")
        parameter = known[name]
        checked = _checked(parameter, value, f"{where}: {key}")
        assert parameter.name is not None
        arguments[parameter.name] = _at(path.absolute().parent, name, checked)
    return arguments


def environment_file(config: Path) -> Path:
    """Return the file beside a configuration that a service's secrets are in."""
    return config.with_suffix(".env")


def files_of_config(ctx: click.Context) -> tuple[Path, ...]:
    """Return the configuration that a command was given, and what is beside it."""
    config = ctx.meta.get(_FILE)
    return () if config is None else (config, environment_file(config))


def _check_private(path: Path, arguments: Json) -> None:
    everything = [arguments, *cameras_in(arguments).values()]
    given = [value for each in everything for value in each.values()]
    values = [v for v in given if isinstance(v, str)]
    lists = [v for v in given if isinstance(v, list)]
    if secrets_in([*values, *(text for each in lists for text in map(str, each))]):
        check_private(path, "password or token of an address")
    check_private(environment_file(path), "service's secrets")


def config_option(function: _F) -> _F:
    """Add ``--config FILE`` to a command; what the command line says comes first."""

    def use(ctx: click.Context, param: click.Parameter, value: Path | None) -> None:
        if value is not None:
            ctx.default_map = load_config(value, ctx.command)
            ctx.meta[_FILE] = value

    return click.option(
        "--config",
        type=PATH,
        is_eager=True,
        expose_value=False,
        callback=use,
        help="Take arguments and options from a TOML file.",
    )(function)


def _read(path: Path) -> Json:
    name = "tomllib" if sys.version_info >= (3, 11) else "tomli"
    toml: Module = importlib.import_module(name)
    check_file_or_folder(path)
    try:
        values: Json = toml.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {reason_of(error)}") from error
    except RecursionError as error:
        raise InputError(
            f"{path}: expected TOML with a value for each key, got lists or tables "
            "inside each other to no end"
        ) from error
    except (UnicodeDecodeError, toml.TOMLDecodeError) as error:
        raise InputError(f"{path}: expected TOML: {error}") from error
    return values


def _known(command: click.Command) -> Mapping[str, click.Parameter]:
    """Return a command's parameters by their names on the command line."""
    found = {}
    for parameter in command.params:
        long = [text[2:] for text in parameter.opts if text.startswith("--")]
        for name in long or [parameter.name or ""]:
            found[name] = parameter
    return {name: found[name] for name in sorted(found) if name not in _NOT_KEYS}


def _unknown(key: str, known: Mapping[str, click.Parameter]) -> str:
    near = difflib.get_close_matches(key.replace("_", "-"), known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"
    return f"unknown key {shortened(key, 60)!r}{hint}"


def _checked(parameter: click.Parameter, value: Any, where: str) -> Any:
    """Return a TOML value that fits a parameter, as click takes it."""
    if parameter.multiple:
        values = value if isinstance(value, list) else [value]
        return [_checked_one(parameter, one, where) for one in values]
    return _checked_one(parameter, _as_text(parameter, value), where)


def _as_text(parameter: click.Parameter, value: Any) -> Any:
    """Write in the command line's way what TOML has a better one for."""
    alone = getattr(parameter, "flag_value", None)
    if value is True and isinstance(alone, str):
        return alone  # an option that may stand without its value
    if isinstance(parameter.type, click.Choice) and type(value) is int:
        return str(value)
    takes_list = "," in (parameter.metavar or "")
    if takes_list and isinstance(value, list) and value:
        return ",".join(value) if all(isinstance(v, str) for v in value) else value
    return value


def _checked_one(parameter: click.Parameter, value: Any, where: str) -> Any:
    if isinstance(parameter.type, TableParam):
        return _checked_table(parameter.type, value, where)
    expected, types = _expectation(parameter)
    if not isinstance(value, types) or (isinstance(value, bool) and types is not bool):
        raise InputError(f"{where}: expected {expected}, got {_described(value)}")
    if isinstance(value, str) and not value:
        raise InputError(f"{where}: expected {expected}, got nothing")
    if isinstance(value, str) and "\0" in value:  # which no command line can have
        raise InputError(f"{where}: expected {expected}, got one with a NUL character")
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{where}: expected {expected}, got {value}")
    try:
        # what click says of the value is right for a file, too
        parameter.type.convert(value, None, None)
    except click.BadParameter as error:
        raise InputError(f"{where}: {error.message.rstrip('.')}") from error
    return value


def _checked_table(kind: TableParam, value: Any, where: str) -> Any:
    try:
        return kind.convert(value, None, None)
    except click.BadParameter as error:
        raise InputError(f"{where.rpartition(': ')[0]}: {error.message}") from error


def _expectation(parameter: click.Parameter) -> tuple[str, Any]:
    kind = parameter.type
    if isinstance(kind, click.types.BoolParamType):
        return "true or false", bool
    if isinstance(kind, click.types.IntParamType):
        return "a whole number", int
    if isinstance(kind, click.types.FloatParamType):
        return "a number", (int, float)
    if isinstance(kind, click.Choice):
        return f"one of {', '.join(map(str, kind.choices))}", str
    return "text, or a list of texts" if parameter.multiple else "text", str


def _described(value: object) -> str:
    names: dict[type, str] = {str: "text", dict: "table", list: "list", bool: "boolean"}
    kind = names.get(type(value), type(value).__name__)
    return f"the {kind} {value!r}" if not isinstance(value, dict) else "a table"


def _at(folder: Path, key: str, value: Any) -> Any:
    """Return a value with its path made absolute, if it has one."""
    if isinstance(value, list):
        return [_at(folder, key, one) for one in value]
    if key == "output":
        return _output_at(folder, value)
    if key in (books := _books()):
        return _address_at(folder, books[key], value)
    names = _names().get(key)
    if names is None or (value in names and not os.path.exists(folder / value)):
        return value
    return _joined(folder, value)


def _address_at(folder: Path, book: AddressBook, text: str) -> str:
    address = book.named(text, folder)
    if address is not None:
        path = address.path
        return text if path is None else address.with_path(_joined(folder, path))
    if not book.has_bare_paths or text == STDOUT or "://" in text:
        return text
    # with the folder before it, nobody could tell that a name was meant
    return text if book.is_misspelt(text, folder) else _joined(folder, text)


def _output_at(folder: Path, text: str) -> str:
    from edgeseg.devices import UnknownPluginError
    from edgeseg.runtime.output.open import joined

    try:
        return joined(text, folder)
    except (InputError, UnknownPluginError):  # `run` says so
        return text


def _joined(folder: Path, text: str) -> str:
    ending = "/" if text.endswith("/") else ""  # says that it is a folder
    return f"{folder / text}{ending}"


def _books() -> dict[str, AddressBook]:
    """Return the grammar of each key that is an address; only a file needs them."""
    from edgeseg.runtime.capture.open import SOURCE_ADDRESSES
    from edgeseg.runtime.drawing.open_effect import EFFECT_ADDRESSES

    return {
        "source": SOURCE_ADDRESSES,
        "effect": EFFECT_ADDRESSES,
    }


def _names() -> dict[str, tuple[str, ...]]:
    """Return what the other keys that may be a path may be instead."""
    from edgeseg.runtime.installation.store import installed_names
    from edgeseg.runtime.model.labels import known_label_sets
    from edgeseg.runtime.shipped import MODEL_NAMES

    return {
        "labels": known_label_sets(),
        "model": (*MODEL_NAMES, *installed_names()),
    }
