"""``.keras`` files: the archive, the description of the network, the weights."""

from __future__ import annotations

import io
import json
import zipfile
from functools import cache
from typing import TYPE_CHECKING

from hostile.archives import hostile_archive
from hostile.case import Case, Kind
from hostile.damage import damage
from hostile.json_values import hostile_json
from hostile.keras_configs import hostile_config
from hostile.seeds import KERAS, seed

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"


@cache
def _parts() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(seed(KERAS))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _make(folder: Path, rng: Random, number: int) -> Case:
    name, what = "model.keras", "archive"
    draw = rng.random()
    if draw < 0.2:
        data = hostile_archive(_parts(), rng)
    else:
        parts = dict(_parts())
        config = json.loads(parts[_CONFIG])
        if draw < 0.5:
            what, parts[_CONFIG] = "values", hostile_json(config, rng)
        elif draw < 0.8:
            what, changed = hostile_config(config, rng)
            parts[_CONFIG] = json.dumps(changed).encode()
        else:
            what, parts[_WEIGHTS] = "weights", damage(parts[_WEIGHTS], rng)
        data = _pack(parts)
    (folder / name).write_bytes(data)
    if rng.random() < 0.25:
        return Case(("info", name, "--json"), name=what)
    return Case(("@keras", name), name=what, timeout_s=60)


def _pack(parts: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


KIND = Kind(_make, warm="keras", share=1.5, short=8, needs=("tensorflow",))
