"""Folders of pictures and masks in all layouts, with odd files, names and lists."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import layouts
from hostile.case import MODEL, Case, Kind
from hostile.commands import JOURNAL
from hostile.damage import damage
from hostile.good_files import encoded, put_model
from hostile.texts import OUTSIDE, hostile_text

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

_LAYOUTS = (layouts.voc, layouts.ade20k, layouts.cityscapes, layouts.folder)


def _make(folder: Path, rng: Random, number: int) -> Case:
    put_model(folder)
    layout = rng.choice(_LAYOUTS)
    root = folder / "data"
    layout(root)
    files = sorted(path for path in root.rglob("*") if path.is_file())
    for _ in range(rng.choice((1, 1, 2, 3))):
        _change(rng.choice(files), rng)
    split = "validation" if layout is layouts.ade20k else layouts.SPLIT
    words = "eval", MODEL, "data", "--split", split, "--json", "eval.json"
    return Case(words, ("eval.json",), layout.__name__, may=(JOURNAL,))


def _change(path: Path, rng: Random) -> None:
    if not path.is_file() or path.is_symlink():
        return
    data = path.read_bytes()
    draw = rng.random()
    if path.suffix == ".txt":
        lines = data.decode().splitlines()
        lines[rng.randrange(len(lines))] = rng.choice(
            (hostile_text(rng)[:100_000], OUTSIDE, "/etc/passwd", lines[0])
        )
        data = "\n".join(lines).encode("utf-8", "surrogatepass")
        path.write_bytes(damage(data, rng) if draw < 0.2 else data)
    elif draw < 0.5:
        path.write_bytes(damage(data, rng))
    elif draw < 0.6:
        path.write_bytes(encoded(rng.choice(("PNG", "JPEG", "GIF", "TIFF"))))
    elif draw < 0.7:
        path.unlink()
        path.symlink_to(rng.choice(("/dev/zero", "/dev/null", OUTSIDE, path.name, ".")))
    elif draw < 0.8:
        path.unlink()
        path.mkdir()
    elif draw < 0.85:
        path.unlink()
        os.mkfifo(path)
    elif draw < 0.95:
        name = hostile_text(rng).replace("/", "_").replace("\0", "")[:60].strip(".")
        raw = (name or "x").encode("utf-8", "surrogatepass")[:200]
        os.rename(path, os.path.join(os.fsencode(path.parent), raw + b".png"))
    else:
        path.unlink()


KIND = Kind(_make, share=1.5, short=15)
