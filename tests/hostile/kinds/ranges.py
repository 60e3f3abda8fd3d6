"""Ranges files that ``convert --calibration`` takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hostile.case import Case, Kind
from hostile.json_values import hostile_json
from hostile.seeds import FLAT, RANGES, seed

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random


def _make(folder: Path, rng: Random, number: int) -> Case:
    (folder / "float.tflite").write_bytes(seed(FLAT))
    values = json.loads(seed(RANGES))
    (folder / "ranges.json").write_bytes(hostile_json(values, rng))
    return Case(("@ranges", "ranges.json", "float.tflite"), ("int8.tflite",))


KIND = Kind(_make, warm="keras", share=1.5, short=10, needs=("tensorflow",))
