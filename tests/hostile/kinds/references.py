"""References that ``eval --against`` and ``parity`` compare with."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from hostile.case import MODEL, Case, Kind
from hostile.commands import JOURNAL
from hostile.damage import damage
from hostile.good_files import put_dataset, put_model
from hostile.json_values import hostile_json
from hostile.seeds import HERE, REFERENCE
from hostile.texts import OUTSIDE, hostile_text

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random


def _make(folder: Path, rng: Random, number: int) -> Case:
    put_model(folder)
    put_dataset(folder)
    target = folder / REFERENCE
    shutil.copytree(HERE / REFERENCE, target)
    what = _change(target, rng)
    if rng.random() < 0.5:
        words = "parity", MODEL, REFERENCE, "--dataset", "data", "--other-model"
        return Case((*words, *rng.choice(((), ("--json",)))), name=what, talk=_TALK)
    words = "eval", MODEL, "data", "--against", REFERENCE, "--other-model"
    return Case(
        (*words, "--json", "eval.json"),
        ("eval.json",),
        what,
        talk=_TALK,
        may=(JOURNAL,),
    )


_TALK = r"reference made on|compared with"


def _change(target: Path, rng: Random) -> str:
    record = target / "reference.json"
    draw = rng.random()
    if draw < 0.45:
        record.write_bytes(hostile_json(json.loads(record.read_bytes()), rng))
        return "record"
    if draw < 0.75:
        path = target / "pictures.jsonl"
        lines = path.read_bytes().splitlines()
        index = rng.randrange(len(lines))
        lines[index] = hostile_json(json.loads(lines[index]), rng)
        path.write_bytes(b"\n".join(lines) + b"\n")
        return "rows"
    if draw < 0.9:
        path = rng.choice(sorted((target / "ids").iterdir()))
        path.write_bytes(damage(path.read_bytes(), rng))
        return "label map"
    path = target / "dataset.txt"
    name = rng.choice((OUTSIDE, "/dev/zero", hostile_text(rng)[:5000]))
    path.write_bytes(name.encode("utf-8", "surrogatepass"))
    return "data set's name"


KIND = Kind(_make, short=12)
