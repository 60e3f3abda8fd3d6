"""``.tflite``: a float or an old quantized file, its network drawn again."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from edgeseg.converter.loading.format import (
    Format,
    Original,
    RawModel,
    refuse_options,
)
from edgeseg.converter.loading.tflite.drawing import check_resizable, draw
from edgeseg.converter.loading.tflite.ends import find_scores, grid_alignment
from edgeseg.converter.loading.tflite.rewriting import rewrite
from edgeseg.converter.loading.tflite.source import read_source
from edgeseg.runtime.model.embedded import stored_manifest
from edgeseg.runtime.model.overrides import manifest_for
from edgeseg.runtime.model.tensors import input_hw_of, scores_output

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.converter.loading.format import Loading
    from edgeseg.converter.loading.tflite.source import TFLiteSource
    from edgeseg.runtime.model.manifest import Manifest

_IDENTIFIER = b"TFL3"  # at byte 4


class TFLiteFile(Format):
    """The format of TensorFlow Lite and LiteRT.

    A float file is taken as it is. Of a quantized one every integer is replaced by the
    number that it stands for; what its ranges cut off at 0 and at 6 stays cut off.
    """

    name = "tflite"

    def claims(self, path: Path) -> bool:
        """Return whether the file begins like a TFLite flatbuffer."""
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(8)[4:] == _IDENTIFIER

    def read(self, path: Path, loading: Loading) -> RawModel:
        """Return the network that the file's operators compute."""
        refuse_options(path, loading)
        source = read_source(path)
        name = loading.output_name
        manifest = manifest_for(path, source.inputs, source.outputs, name)
        says_input = stored_manifest(path) is not None or _is_8_bit(source)
        hw = input_hw_of(source.inputs[0])
        place = scores_output(source.outputs, hw, name, len(manifest.labels)).place
        rewrite(source)
        scores = find_scores(source, source.output_indices[place])
        if loading.size is not None:
            check_resizable(source, scores)
        model = draw(source, scores)
        return RawModel(
            model,
            resize=grid_alignment(source, scores) or manifest.resize,
            notes=(*_notes(source), *scores.notes),
            manifest=_of_network(manifest),
            original=Original(path, not source.is_quantized, says_input),
        )


PLUGIN = TFLiteFile


def _of_network(manifest: Manifest) -> Manifest:
    """Return how the network is fed; size and head are seen from the network."""
    return dataclasses.replace(manifest, input_size=None, head=None, provenance={})


def _is_8_bit(source: TFLiteSource) -> bool:
    return source.inputs[0].dtype in ("uint8", "int8")


def _notes(source: TFLiteSource) -> list[str]:
    if source.is_quantized:
        return ["its integers are read as the real numbers that they stand for"]
    return []
