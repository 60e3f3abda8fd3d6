"""Records of measurements that ``report`` puts on a page."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hostile.case import Case, Kind
from hostile.json_values import hostile_json
from hostile.seeds import RECORDS, seed

if TYPE_CHECKING:
    from random import Random

_RESULTS = Path(__file__).resolve().parents[3] / "benchmarks" / "results"
_OF_STUDIES = "conversions", "remedies", "peers", "standing", "stages", "matrix"


@cache
def _good() -> dict[str, Any]:
    """Return one record of each kind that there is."""
    found = {name: json.loads(seed(name)) for name in RECORDS}
    for name in _OF_STUDIES:
        path = _RESULTS / f"{name}.json"
        if path.exists():  # a wheel has none
            found[path.name] = json.loads(path.read_text("utf-8"))
    return found


def _make(folder: Path, rng: Random, number: int) -> Case:
    good = _good()
    name = rng.choice(sorted(good))
    (folder / name).write_bytes(hostile_json(good[name], rng))
    names = [name]
    if rng.random() < 0.4:
        (folder / "other.json").write_bytes(seed("eval.json"))
        names.append("other.json")
    return Case(("report", *names, "-o", "page.html"), ("page.html",), name)


KIND = Kind(_make, share=1.5, short=15)
