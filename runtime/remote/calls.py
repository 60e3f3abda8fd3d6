"""What ``bench``, ``eval`` and ``run`` need on the board, and what they bring back."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import click

from edgeseg.devices import InputError
from edgeseg.runtime.capture.open import Inputs, find_source, inputs_of, open_source
from edgeseg.runtime.drawing.open_effect import EFFECT_ADDRESSES
from edgeseg.runtime.output.apart import check_outputs
from edgeseg.runtime.output.open import find_sink, folder_of, is_dated
from edgeseg.runtime.output.recording.dated_name import DatedName
from edgeseg.runtime.pictures.originals import check_apart
from edgeseg.runtime.remote.landing import RunOutput
from edgeseg.runtime.remote.shipping import (
    place_there,
    ship_dataset,
    ship_model,
    ship_path,
    ship_source,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgeseg.devices.types import Json
    from edgeseg.runtime.address import Address
    from edgeseg.runtime.remote.session import Session


_RECORD = "record.json"


@dataclass(frozen=True)
class RemoteCall:
    """A command as it runs on the board.

    Parameters
    ----------
    arguments : list of str
        Of ``edgeseg``, with the board's paths.
    wanted : list of RunOutput
        What is brought back.
    """

    arguments: list[str]
    wanted: list[RunOutput] = field(default_factory=list)


def bench_call(session: Session, line: CommandLine, record: Path) -> RemoteCall:
    """Copy what `bench` reads."""
    check_apart(record, line["model"], line["source"], line["labels"])
    line["model"] = ship_model(session, line["model"])
    if line["source"] is not None:
        line["source"] = ship_source(session, line["source"])
    _ship_labels(session, line, "labels")
    line["json_path"] = _RECORD
    return RemoteCall(["bench", *line.arguments()], [RunOutput(_RECORD, record)])


def eval_call(session: Session, line: CommandLine, record: Path) -> RemoteCall:
    """Copy what `eval` reads."""
    if "resume" in line:
        raise InputError("--resume is for runs on this machine: leave it out")
    read = line["model"], line["dataset"], line["against"], line["labels"]
    check_apart(record, *read)
    line["model"] = ship_model(session, line["model"])
    split = line["split"] or "val"
    line["dataset"] = ship_dataset(
        session, line["dataset"], split, line["truth_labels"]
    )
    if line["against"] is not None:
        line["against"] = ship_path(session, line["against"])
    _ship_labels(session, line, "labels", "truth_labels")
    line["json_path"] = _RECORD
    return RemoteCall(["eval", *line.arguments()], [RunOutput(_RECORD, record)])


def run_call(session: Session, line: CommandLine) -> RemoteCall:
    """Copy what `run` reads; its output files get a place in the run's folder."""
    _check_outputs(line)
    line["model"] = ship_model(session, line["model"])
    line["source"] = ship_source(session, line["source"])
    _ship_labels(session, line, "labels")
    effect = EFFECT_ADDRESSES.named(line["effect"] or "")
    if effect is not None and effect.path is not None:
        line["effect"] = effect.with_path(ship_path(session, effect.path))
    outputs: list[str] = []
    wanted: dict[str, RunOutput] = {}
    for text in line["outputs"] or ():
        there, output = output_there(text)
        if output is not None:
            key = f"{output.there} {output.suffix}"
            if key in wanted:
                raise InputError(f"two outputs have the same name there: {text}")
            wanted[key] = output
        outputs.append(there)
    line["outputs"] = outputs
    return RemoteCall(["run", *line.arguments()], list(wanted.values()))


def _check_outputs(line: CommandLine) -> None:
    """Refuse outputs that would change what is read here."""
    source = find_source(line["source"])
    if source is None or source.path is None:
        inputs = Inputs(())
    elif os.path.isfile(source.path):
        path = Path(source.path)
        inputs = Inputs((path,), (path.stem,))
    else:
        with open_source(line["source"]) as opened:
            inputs = inputs_of(line["source"], opened)
    others = [Path(line[key]) for key in ("model", "labels") if line[key] is not None]
    outputs = [find_sink(text) for text in line["outputs"] or ()]
    check_outputs(outputs, replace(inputs, others=others))


def output_there(text: str) -> tuple[str, RunOutput | None]:
    """Return an output as the board is given it, and what is brought back of it.

    Examples
    --------
    >>> output_there("masks:ids/")
    ('masks:ids/', RunOutput(there='ids', here=PosixPath('ids'), suffix=('.png',)))
    >>> output_there("../a.png")
    ('a.png', RunOutput(there='a.png', here=PosixPath('../a.png'), suffix=None))
    >>> output_there("recordings/%Y/door-%H.mkv?keep=7d")[1]
    RunOutput(there='recordings', here=PosixPath('recordings'), suffix=('.mkv',))
    >>> output_there("mqtt://broker"), output_there("-")
    (('mqtt://broker', None), ('-', None))
    """
    address = find_sink(text)
    if address.path is None:
        return text, None
    if is_dated(address) and (address.tail or DatedName(address.path).is_dated):
        return _dated_there(address)
    there = place_there(address.path)
    suffix = address.kind.inside if address.is_folder else None
    output = RunOutput(there.rstrip("/"), Path(address.path), suffix)
    return address.with_path(there), output


def _dated_there(address: Address) -> tuple[str, RunOutput]:
    """Return an output of many files, which are brought back by what they end in."""
    path = Path(address.path or "")
    folder = folder_of(address) or Path()
    above = place_there(str(folder))
    below = path.parts[len(folder.parts) :]
    there = str(PurePosixPath(above.replace("%", "%%"), *below))
    return address.with_path(there), RunOutput(above, folder, (path.suffix,))


def extras_of(outputs: Iterable[str]) -> set[str]:
    """Return the extras of the package that outputs take.

    Examples
    --------
    >>> extras_of(["mqtts://broker", "found.jsonl"])
    {'mqtt'}
    """
    return {find_sink(text).kind.extra for text in outputs} - {""}


def record_name(kind: str, model: str, host: str) -> Path:
    """Return where a record goes that no place was given for.

    Examples
    --------
    >>> record_name("bench", "models/a.tflite", "pi@raspberrypi.local")
    PosixPath('a--raspberrypi.local--bench.json')
    """
    name = re.sub(r"[^\w.-]+", "-", host.rpartition("@")[2])
    return Path(f"{Path(model).stem}--{name}--{kind}.json")


def _ship_labels(session: Session, line: CommandLine, *names: str) -> None:
    for name in names:
        if line[name] is not None:
            line[name] = ship_path(session, line[name])


class CommandLine:
    """Arguments of one of edgeseg's commands, checked as the command itself does.

    Parameters
    ----------
    command : click.Command
        ``bench``, ``eval`` or ``run``.
    name : str
        What usage errors call it.
    arguments : sequence of str
        As they were typed.

    Raises
    ------
    click.UsageError
        The command does not take them.

    Examples
    --------
    >>> import click
    >>> quick = click.Option(["--quick"], is_flag=True)
    >>> command = click.Command("c", params=[click.Argument(["model"]), quick])
    >>> line = CommandLine(command, "c", ["--quick", "a b"])
    >>> line["model"] = "there/a b"
    >>> line.arguments()
    ['there/a b', '--quick']
    """

    def __init__(
        self, command: click.Command, name: str, arguments: tuple[str, ...] | list[str]
    ) -> None:
        self._command = command
        context = command.make_context(name, list(arguments))
        self._typed: Json = command.make_parser(context).parse_args(list(arguments))[0]

    def __getitem__(self, name: str) -> Any:
        """Return what was typed for a parameter, None where nothing was."""
        value = self._typed.get(name)
        # click marks what is missing, or an option without its value, by objects
        return value if isinstance(value, (str, list, tuple, bool)) else None

    def __setitem__(self, name: str, value: Any) -> None:
        """Replace it."""
        self._typed[name] = value

    def __contains__(self, name: str) -> bool:
        """Return whether a parameter was typed, even without a value."""
        return name in self._typed

    def arguments(self) -> list[str]:
        """Return the arguments: positional ones, then options."""
        positional: list[str] = []
        options: list[str] = []
        for param in self._command.params:
            name = str(param.name)
            if isinstance(param, click.Argument):
                positional += _values(self[name])
            elif name in self._typed:
                options += self._option(param, name)
        return [*positional, *options]

    def _option(self, param: click.Parameter, name: str) -> list[str]:
        option = next(text for text in param.opts if text.startswith("--"))
        value = self[name]
        if value is None or isinstance(value, bool):
            return [option]
        return [f"{option}={text}" for text in _values(value)]


def _values(value: Any) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)
