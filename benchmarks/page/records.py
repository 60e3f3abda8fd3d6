"""Records of any kind, read from JSON: what they are, and the hash of their file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.benchmarks.latency.bench import KIND as BENCH
from edgeseg.devices import InputError
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.json_text import is_deeper

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Json

ACCURACY = "accuracy"
PAIR = "float beside int8"
CONVERSIONS = "conversions"
REMEDIES = "remedies"
PEERS = "peers"
DOCTOR = "doctor"
OTHER = "other"
# A record says what it was made with: one of these is in every one
_PROVENANCE = frozenset({"machine", "board", "device", "versions", "processor"})
_DEEPEST = 50  # values in each other; ours have 8
_LONGEST_NUMBER = 20  # characters
_SHORT = 12  # of a hash's 64 digits: no two files of a page share them


@dataclass(frozen=True)
class Record:
    """A record file.

    Parameters
    ----------
    name : str
        Of the file.
    sha256 : str
        Of its bytes.
    kind : str
        One of the kinds above.
    content : dict
        JSON values.
    board : str
        Which of many boards it is of; empty where nobody says.
    """

    name: str
    sha256: str
    kind: str
    content: Json
    board: str = ""

    @property
    def short(self) -> str:
        """The beginning of the hash, as the page shows it."""
        return self.sha256[:_SHORT]

    @property
    def anchor(self) -> str:
        """Its place on the page: boards may have equal records."""
        if not self.board:
            return self.short
        return (
            f"{self.short}-{hashlib.sha256(self.board.encode()).hexdigest()[:_SHORT]}"
        )


def find_records(path: Path) -> list[tuple[Path, str]]:
    """Return the record files that an argument means, and the board of each.

    Parameters
    ----------
    path : Path
        A record; or a folder that has a folder for each board, as `edgeseg fleet`
        gathers them.

    Raises
    ------
    InputError
        No record is in the folder.
    """
    if not path.is_dir():
        return [(path, "")]
    found = [(each, each.parent.name) for each in sorted(path.glob("*/*.json"))]
    found += [(each, "") for each in sorted(path.glob("*.json"))]
    if not found:
        raise InputError(
            f"{path}: expected a folder with a folder of .json records for each board, "
            "got none"
        )
    return found


def read_record(path: Path, board: str = "") -> Record:
    """Return a record file's content and kind.

    Parameters
    ----------
    path : Path
        A JSON file.
    board : str
        Which board it is of.

    Raises
    ------
    InputError
        It cannot be read, is no JSON, or is no record.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read record {path}: {reason_of(error)}") from error
    try:
        content = json.loads(
            raw.decode("utf-8"), parse_constant=_nothing, parse_int=_whole
        )
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no JSON: {error}") from error
    if is_deeper(content, _DEEPEST):
        raise InputError(
            f"{path} is no record that edgeseg knows: over {_DEEPEST} values stand in "
            "each other"
        )
    kind = kind_of(content) if isinstance(content, dict) else None
    if kind is None:
        got = sorted(content)[:6] if isinstance(content, dict) else type(content)
        raise InputError(
            f"{path} is no record that edgeseg knows: expected what eval, bench, "
            f"reference, parity or a module of edgeseg.benchmarks writes, got {got}"
        )
    return Record(path.name, hashlib.sha256(raw).hexdigest(), kind, content, board)


def _nothing(text: str) -> None:
    """Return what stands for NaN and infinity."""


def _whole(text: str) -> int | None:
    """Return a whole number, None for one that is longer than any count or size."""
    return int(text) if len(text) <= _LONGEST_NUMBER else None


def kind_of(content: Json) -> str | None:
    """Return the kind of a record's content, None where it is no record.

    Examples
    --------
    >>> kind_of({"kind": "bench", "runs": []})
    'bench'
    >>> kind_of({"machine": {}, "conversions": {}})
    'conversions'
    >>> kind_of({"a": 1}) is None
    True
    """
    if content.get("kind") == BENCH:
        return BENCH
    if {"miou", "per_class_iou", "model_sha256"} <= content.keys():
        return ACCURACY
    if {"reference", "candidate", "drop"} <= content.keys():
        return PAIR
    for kind in (CONVERSIONS, PEERS):
        if isinstance(content.get(kind), dict):
            return kind
    if {"worst", "findings", "board"} <= content.keys():
        return DOCTOR
    models = content.get("models")
    if isinstance(models, dict) and all(
        isinstance(model, dict) and "settings" in model for model in models.values()
    ):
        return REMEDIES
    return OTHER if _PROVENANCE & content.keys() else None
