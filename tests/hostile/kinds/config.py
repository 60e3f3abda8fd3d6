"""TOML files of ``run --config`` and ``service install``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hostile.case import MODEL, Case, Kind
from hostile.damage import damage
from hostile.good_files import put_model, put_picture
from hostile.texts import hostile_text

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

_GOOD = {
    "model": f'"{MODEL}"',
    "source": '"photo.png"',
    "output": '["out.png", "found.jsonl"]',
    "effect": '"blur:60"',
    "classes": '["disc", "square"]',
    "contours": "true",
    "alpha": "0.5",
    "smooth": "0.5",
    "threads": "2",
    "frames": "3",
    "region": '"0,0,10,10"',
    "labels": '"labels.txt"',
    "rotate": "90",
    "size": '"640x480"',
}
_VALUES = (
    "1", "-1", "0", "1e400", "nan", "inf", "-inf", "true", "[]", "{}", '""', "[[1]]",
    "2**9", "0x7fffffffffffffff", "9" * 30, "1979-05-27T07:32:00Z", "07:32:00", "'a'",
    "'''\n'''", '"\\u0000"', '"\\u001b[2J"', "[" * 3000, "{a=" * 500, "{a.b.c=1}",
    "[1, 'a', {}]", '"/dev/zero"', '"../outside/victim.txt"',
)  # fmt: skip


def _make(folder: Path, rng: Random, number: int) -> Case:
    put_model(folder)
    put_picture(folder)
    (folder / "labels.txt").write_text("a\nb\nc\nd\n")
    (folder / "run.toml").write_bytes(_content(rng))
    if rng.random() < 0.3:
        return Case(("service", "install", "run.toml", "--print"), talk=r".*")
    words = "run", "--config", "run.toml", "--seconds", "2"
    return Case(words, name="config", talk=r".*")


def _content(rng: Random) -> bytes:
    values = dict(_GOOD)
    for key in rng.sample(sorted(values), rng.randrange(4, len(values))):
        if key not in ("model", "source", "output"):
            del values[key]
    # what is written must not depend on hostile text: it may name any file
    values["output"] = '"null"'
    for _ in range(rng.choice((1, 1, 2, 3))):
        key = rng.choice([*(k for k in values if k != "output"), "x", "a.b", '""'])
        text = json.dumps(hostile_text(rng)[:20_000])
        values[key] = rng.choice((*_VALUES, text))
    lines = [f"{key} = {value}" for key, value in values.items()]
    if rng.random() < 0.2:
        lines.insert(0, rng.choice(("[run]", "[[a]]", "a.b = 1", "[" * 500, "# \x00")))
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    return damage(data, rng) if rng.random() < 0.2 else data


KIND = Kind(_make, short=20)
