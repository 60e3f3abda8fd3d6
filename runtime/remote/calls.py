"""What ``bench``, ``eval`` and ``run`` need on the board, and what they bring back."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.remote.bringing import place_there
from edgeseg.runtime.remote.landing import Output
from edgeseg.runtime.remote.shipping import (
    ship_dataset,
    ship_model,
    ship_path,
    ship_source,
)

if TYPE_CHECKING:
    from edgeseg.runtime.remote.command_line import CommandLine
    from edgeseg.runtime.remote.session import Session

_RECORD = "record.json"
# sinks that write what their name is followed by
_FILE_SINKS = ("masks", "overlay", "jsonl", "video")
_LINES = (".jsonl", ".ndjson")


@dataclass(frozen=True)
class Call:
    """A command as it runs on the board.

    Parameters
    ----------
    arguments : list of str
        Of ``edgeseg``, with the board's paths.
    wanted : list of Output
        What is brought back.
    """

    arguments: list[str]
    wanted: list[Output] = field(default_factory=list)


def bench_call(session: Session, line: CommandLine, record: Path) -> Call:
    """Copy what `bench` reads."""
    line["model"] = ship_model(session, line["model"])
    if line["source"] is not None:
        line["source"] = ship_source(session, line["source"])
    _ship_labels(session, line, "labels")
    line["json_path"] = _RECORD
    return Call(["bench", *line.arguments()], [Output(_RECORD, record)])


def eval_call(session: Session, line: CommandLine, record: Path) -> Call:
    """Copy what `eval` reads."""
    if "resume" in line:
        raise InputError("--resume is for runs on this machine: leave it out")
    line["model"] = ship_model(session, line["model"])
    split = line["split"] or "val"
    line["dataset"] = ship_dataset(
        session, line["dataset"], split, line["truth_labels"]
    )
    if line["against"] is not None:
        line["against"] = ship_path(session, line["against"])
    _ship_labels(session, line, "labels", "truth_labels")
    line["json_path"] = _RECORD
    return Call(["eval", *line.arguments()], [Output(_RECORD, record)])


def run_call(session: Session, line: CommandLine) -> Call:
    """Copy what `run` reads; its output files get a place in the run's folder."""
    line["model"] = ship_model(session, line["model"])
    line["source"] = ship_source(session, line["source"])
    _ship_labels(session, line, "labels")
    name, colon, rest = (line["effect"] or "").partition(":")
    if name == "picture" and colon:
        line["effect"] = f"picture:{ship_path(session, rest)}"
    outputs: list[str] = []
    wanted: dict[str, Output] = {}
    for text in line["outputs"] or ():
        head, local = output_file(text)
        there = text if local is None else place_there(local)
        if local is not None:
            name = there.rstrip("/")
            if name in wanted:
                raise InputError(f"two outputs have the same name there: {text}")
            suffix = None if is_single_file(head, local) else ".png"
            wanted[name] = Output(name, Path(local), suffix)
        outputs.append(f"{head}{there}")
    line["outputs"] = outputs
    return Call(["run", *line.arguments()], list(wanted.values()))


def output_file(text: str) -> tuple[str, str | None]:
    """Return what stands before the path of an output, and the path.

    Examples
    --------
    >>> output_file("masks:ids/"), output_file("over.png")
    (('masks:', 'ids/'), ('', 'over.png'))
    >>> output_file("mqtt://broker"), output_file("-"), output_file("window")
    (('', None), ('', None), ('', None))
    """
    from edgeseg.runtime.sinks import SINKS

    name, colon, rest = text.partition(":")
    if colon and name in _FILE_SINKS and not rest.startswith("//"):
        return f"{name}:", rest
    elsewhere = name in SINKS.names() and name not in _FILE_SINKS
    return "", None if text == "-" or "://" in text or elsewhere else text


def is_single_file(head: str, local: str) -> bool:
    """Return whether an output is one file, and no folder of pictures.

    Examples
    --------
    >>> is_single_file("", "over.png"), is_single_file("jsonl:", "found")
    (True, True)
    >>> is_single_file("", "v1.5/"), is_single_file("masks:", "ids.png")
    (False, False)
    """
    from edgeseg.runtime.pictures import SUFFIXES as PICTURES
    from edgeseg.runtime.sinks.video import SUFFIXES as VIDEOS

    if head in ("masks:", "jsonl:", "video:"):
        return head != "masks:"
    suffix = Path(local).suffix.lower()
    return suffix in PICTURES or (not head and suffix in (*VIDEOS, *_LINES))


def extras_of(line: CommandLine) -> set[str]:
    """Return the extras that a run takes."""
    outputs = list(line["outputs"] or ())
    schemes = {text.partition(":")[0] for text in outputs}
    extras = {"web"} if "web" in line or "web" in schemes else set()
    return extras | ({"mqtt"} if schemes & {"mqtt", "mqtts"} else set())


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
