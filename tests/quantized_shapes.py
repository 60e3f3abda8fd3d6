"""The shipped shapes model on its way to int8, made once for all tests."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from edgeseg.converter.conversion.float_model import lower
from edgeseg.converter.conversion.keras_device import open_keras
from edgeseg.converter.quantization.quantize import Quantization
from edgeseg.converter.quantization.ranges import Ranges, measure
from edgeseg.converter.recipes import load_recipe
from edgeseg.runtime import Manifest, Segmenter
from edgeseg.runtime.model.embedded import append_manifest
from edgeseg.runtime.sources.synthetic import LABELS, SyntheticSource


@dataclass(frozen=True)
class Shapes:
    content: bytes
    ranges: Ranges
    tensors: list
    manifest: Manifest

    def recipe(self, name):
        return Quantization(self.content, load_recipe(name), self.ranges)

    @functools.cached_property
    def quantization(self):
        return self.recipe("int8")

    @functools.cached_property
    def whole(self):
        return self.quantization.make()

    def open(self, content):
        with TemporaryDirectory() as folder:
            path = Path(folder) / "model.tflite"
            path.write_bytes(append_manifest(content, self.manifest))
            return Segmenter.open(path)


@functools.cache
def shapes():
    model = Path(__file__).parent / "golden" / "shapes.keras"
    with open_keras(model) as keras:
        content = lower(keras.device.model)
        source = SyntheticSource("160x120,still,seed=5")
        tensors = [keras.tensor(source.scene(i)[0]) for i in range(12)]
    ranges = measure(content, tensors)
    return Shapes(content, ranges, tensors[:6], Manifest(labels=LABELS))
