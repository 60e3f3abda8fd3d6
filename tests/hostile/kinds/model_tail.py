"""The archive behind a model: lying, damaged, too large, with names that lead out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostile.archives import hostile_archive
from hostile.case import MODEL, Case, Kind
from hostile.commands import model_case
from hostile.good_files import model_parts

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random


def _make(folder: Path, rng: Random, number: int) -> Case:
    flatbuffer, entries = model_parts()
    named = {**entries, "labelmap.txt": b"a\nb\n"} if rng.random() < 0.2 else entries
    (folder / MODEL).write_bytes(hostile_archive(named, rng, before=flatbuffer))
    return model_case(folder, rng, "archive")


KIND = Kind(_make, share=2, short=25)
