"""Journals that an interrupted ``eval`` goes on from."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from hostile.case import MODEL, Case, Kind
from hostile.damage import damage
from hostile.good_files import put_dataset, put_model
from hostile.json_values import hostile_json
from hostile.seeds import JOURNAL, seed

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

_NAME = "eval.journal"


@cache
def _rows() -> list[Any]:
    return [json.loads(line) for line in seed(JOURNAL).splitlines()]


def _make(folder: Path, rng: Random, number: int) -> Case:
    put_model(folder)
    put_dataset(folder)
    rows = [_run(folder), *_rows()]
    if rng.random() < 0.25:
        data = damage(b"".join(map(_line, rows)), rng)
    else:
        index = rng.choice((0, 1, 1, 2, 2))
        lines = [json.dumps(row).encode() for row in rows]
        lines[index] = hostile_json(rows[index], rng).replace(b"\n", b" ")
        data = b"\n".join(lines) + b"\n"
    (folder / _NAME).write_bytes(data)
    words = "eval", MODEL, "data", "--json", "eval.json", "--resume", _NAME
    return Case(words, ("eval.json",), talk=r"going on|goes on|\d+ of", may=(_NAME,))


def _line(value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"


def _run(folder: Path) -> Any:
    """Return the first line of the journal of this run."""
    from edgeseg.benchmarks.accuracy.subject import EvalScope, Subject, identity
    from edgeseg.runtime import Segmenter
    from edgeseg.runtime.accuracy.open import open_dataset

    model, root = folder / MODEL, folder / "data"
    with Segmenter.open(model) as segmenter:
        dataset = open_dataset(root, "val")
        subject = Subject(model, segmenter, root, dataset)
        return identity("eval", subject, EvalScope("val"))


KIND = Kind(_make, short=10)
