"""Manifests: JSON in the archive, beside the model, and in an ONNX file's texts."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from hostile.case import MODEL, Case, Kind
from hostile.commands import model_case
from hostile.good_files import manifest, model_parts
from hostile.json_values import hostile_json

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random


def _make(folder: Path, rng: Random, number: int) -> Case:
    flatbuffer, _ = model_parts()
    text = hostile_json(manifest(), rng)
    if rng.random() < 0.2:
        (folder / MODEL).write_bytes(flatbuffer)
        (folder / f"{MODEL}.json").write_bytes(text)
        return model_case(folder, rng, "sidecar")
    buffer = io.BytesIO(flatbuffer)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("edgeseg.json", text)
    (folder / MODEL).write_bytes(buffer.getvalue())
    return model_case(folder, rng, "manifest")


KIND = Kind(_make, share=2, short=30)
