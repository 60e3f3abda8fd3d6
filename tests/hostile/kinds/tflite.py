"""Flatbuffers of TFLite, damaged by their schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostile.case import MODEL, Case, Kind
from hostile.commands import model_case
from hostile.damage import damage
from hostile.flatbuffers import mutations
from hostile.good_files import model_parts
from hostile.seeds import FLAT, seed

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random


def _make(folder: Path, rng: Random, number: int) -> Case:
    flatbuffer, _ = model_parts()
    good = rng.choice((flatbuffer, flatbuffer, seed(FLAT)))
    if rng.random() < 0.2:
        what, data = "bytes", damage(good, rng)
    else:
        what, data = next(iter(mutations(good, rng.getrandbits(32), 1)))
    (folder / MODEL).write_bytes(data)
    return model_case(folder, rng, what)


KIND = Kind(_make, share=4, short=40)
