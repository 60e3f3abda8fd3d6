"""Whole-model ``.h5`` files: the container and the description in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hostile.case import Case, Kind
from hostile.damage import damage
from hostile.json_values import hostile_json
from hostile.keras_configs import hostile_config
from hostile.seeds import HDF5, seed

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random


def _make(folder: Path, rng: Random, number: int) -> Case:
    path = folder / "model.h5"
    what = "bytes"
    if rng.random() < 0.4:
        path.write_bytes(damage(seed(HDF5), rng))
    else:
        path.write_bytes(seed(HDF5))
        what = _change_description(path, rng)
    if rng.random() < 0.25:
        return Case(("info", path.name, "--json"), name=what)
    return Case(("@keras", path.name), name=what, timeout_s=60)


def _change_description(path: Path, rng: Random) -> str:
    import h5py

    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        if rng.random() < 0.5:
            what, text = "values", hostile_json(config, rng)
        else:
            what, changed = hostile_config(config, rng)
            text = json.dumps(changed).encode()
        if len(text) >= 64_000:  # what HDF5 takes as an attribute
            text = text[:60_000]
        draw = rng.random()
        if draw < 0.1:
            file.attrs["keras_version"] = rng.choice((b"\xff", "", "9" * 99, "2.2.4"))
        elif draw < 0.15:
            del file["model_weights"]
        elif draw < 0.2:
            file["model_weights/x"] = h5py.ExternalLink("../outside/victim.txt", "/")
        file.attrs["model_config"] = text.replace(b"\0", b" ")
    return what


KIND = Kind(_make, warm="keras", share=1.5, short=6, needs=("tensorflow", "h5py"))
