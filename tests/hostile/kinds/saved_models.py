"""SavedModels: the graph, and the tables of its variables."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from hostile.case import Case, Kind
from hostile.damage import damage
from hostile.protobuf import hostile_protobuf
from hostile.seeds import HERE, SAVED
from hostile.texts import OUTSIDE

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

_GRAPH = "saved_model.pb"
_OPERATORS = (b"Save", b"SaveV2", b"Restore", b"ReadFile", b"WriteFile", b"PyFunc",
              b"ImmutableConst", b"MergeV2Checkpoints", b"LookupTableImport",
              b"InitializeTableFromTextFileV2", b"Print")  # fmt: skip


def _make(folder: Path, rng: Random, number: int) -> Case:
    target = folder / "saved"
    shutil.copytree(HERE / SAVED, target)
    graph = target / _GRAPH
    draw = rng.random()
    what = "graph"
    if draw < 0.55:
        graph.write_bytes(hostile_protobuf(graph.read_bytes(), rng))
    elif draw < 0.7:
        what, old = "operator", rng.choice((b"Relu6", b"Conv2D", b"BiasAdd"))
        graph.write_bytes(_renamed(graph.read_bytes(), old, rng.choice(_OPERATORS)))
    elif draw < 0.95:
        name = rng.choice(("variables.index", "variables.data-00000-of-00001"))
        what, path = name, target / "variables" / name
        path.write_bytes(damage(path.read_bytes(), rng))
    else:
        what, path = "link", target / "variables" / "variables.index"
        path.unlink()
        path.symlink_to(f"../../{OUTSIDE}")
    if rng.random() < 0.25:
        return Case(("info", "saved", "--json"), name=what)
    return Case(("@keras", "saved"), name=what, timeout_s=60)


def _renamed(data: bytes, old: bytes, new: bytes) -> bytes:
    """Return a message with an operator's name changed, lengths included."""
    from hostile.protobuf import encode, parse

    def walk(fields: list) -> None:
        for field in fields:
            if isinstance(field.value, list):
                walk(field.value)
            elif field.value == old:
                field.value = new

    fields = parse(data)
    assert fields is not None
    walk(fields)
    return encode(fields)


KIND = Kind(_make, warm="keras", share=1.5, short=6, needs=("tensorflow",))
