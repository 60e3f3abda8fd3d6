"""ONNX files: protocol buffers, changed field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hostile.case import Case, Kind
from hostile.commands import model_case
from hostile.protobuf import hostile_protobuf
from hostile.seeds import ONNX, seed

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random


def _make(folder: Path, rng: Random, number: int) -> Case:
    (folder / "model.onnx").write_bytes(hostile_protobuf(seed(ONNX), rng))
    return model_case(folder, rng, "onnx", "model.onnx")


KIND = Kind(_make, share=1.5, short=15, needs=("onnxruntime",))
