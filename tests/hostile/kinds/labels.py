"""Label lists: text and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostile.case import MODEL, PICTURE, Case, Kind
from hostile.commands import JOURNAL, RESULTS, WRITTEN
from hostile.damage import damage
from hostile.good_files import LABELS, put_dataset, put_model, put_picture
from hostile.json_values import hostile_json
from hostile.texts import hostile_text

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

_JSON = {"classes": [{"name": name, "colour": [9, 40, 200]} for name in LABELS]}


def _make(folder: Path, rng: Random, number: int) -> Case:
    put_model(folder)
    put_picture(folder)
    name = rng.choice(("labels.txt", "labels.json"))
    (folder / name).write_bytes(_content(name, rng))
    draw = rng.random()
    if draw < 0.3:
        return Case(("info", MODEL, "--labels", name))
    if draw < 0.7:
        words = "--legend", "--shapes", rng.choice(("none", "polygons", "rle"))
        return Case(
            ("run", MODEL, PICTURE, *RESULTS, "--labels", name, *words), WRITTEN
        )
    put_dataset(folder)
    words = "eval", MODEL, "data", "--json", "eval.json", "--truth-labels", name
    return Case(words, ("eval.json",), may=(JOURNAL,))


def _content(name: str, rng: Random) -> bytes:
    if name.endswith(".json"):
        return hostile_json(_JSON, rng)
    lines = list(LABELS)
    for _ in range(rng.choice((1, 2, 5))):
        lines[rng.randrange(len(lines))] = hostile_text(rng)
    if rng.random() < 0.1:
        lines *= rng.choice((0, 100, 20_000))
    data = rng.choice(("\n", "\r\n", "\r", "\0")).join(lines)
    raw = data.encode("utf-8", "surrogatepass")
    return damage(raw, rng) if rng.random() < 0.3 else raw


KIND = Kind(_make, short=15)
