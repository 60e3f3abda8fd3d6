"""The state that an interrupted training goes on from."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

import numpy as np
from hostile.archives import hostile_archive
from hostile.case import Case, Kind
from hostile.damage import damage
from hostile.json_values import hostile_json
from hostile.seeds import STATE, seed

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random


def _make(folder: Path, rng: Random, number: int) -> Case:
    (folder / "state.npz").write_bytes(_content(rng))
    return Case(("@state", "state.npz"))


def _content(rng: Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(seed(STATE))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    if rng.random() < 0.3:
        return hostile_archive(parts, rng)
    if rng.random() < 0.6:
        record = json.loads(np.load(io.BytesIO(parts["meta.npy"])).tobytes())
        text = np.frombuffer(hostile_json(record, rng), np.uint8)
        buffer = io.BytesIO()
        np.save(buffer, text)
        parts["meta.npy"] = buffer.getvalue()
    else:
        name = rng.choice(sorted(parts))
        parts[name] = damage(parts[name], rng)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


KIND = Kind(_make, warm="keras", short=5, needs=("tensorflow",))
