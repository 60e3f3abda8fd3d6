"""Quantized networks to compile: every head and pooling, and well-known networks.

``python -m edgeseg.benchmarks.studies.ethos_u.networks FOLDER [NAME|FILE ...]`` makes
those that the folder lacks, or those that are named; of a shipped network, or a Keras
file, with every head, pooling, recipe and interface. Which operators a chip takes
depends on no picture: they are quantized by the ranges of a random one.

Run from a checkout; see `edgeseg.benchmarks.studies`.
"""

from __future__ import annotations

import dataclasses
import itertools
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.benchmarks.studies.architectures.row import NETWORKS
from edgeseg.converter.conversion.float_model import lower
from edgeseg.converter.frameworks import need, third_party
from edgeseg.converter.loading.load import load_model
from edgeseg.converter.quantization.heads import (
    HEADS,
    INTERFACES,
    apply_head,
    set_interface,
)
from edgeseg.converter.quantization.nearest import join_repeats
from edgeseg.converter.quantization.pooling import POOLING, rewrite_pooling
from edgeseg.converter.quantization.quantize import Quantization
from edgeseg.converter.quantization.ranges import measure
from edgeseg.converter.recipes import load_recipe, recipe_names
from edgeseg.converter.shipped import keras_file
from edgeseg.devices import ConversionError

if TYPE_CHECKING:
    from edgeseg.converter.frameworks import KerasModel

_SEED, _PICTURES = 18, 1
SHIPPED = ("animals", "voc")


def make_variants(folder: Path, keras: Path) -> None:
    """Write a network with every head and pooling, recipe and interface."""
    name = keras.stem
    content = lower(load_model(keras).model)
    for head, pooling in itertools.product(HEADS, POOLING):
        try:
            changed = rewrite_pooling(content, pooling)
        except ConversionError:  # it pools no picture
            continue
        path = folder / f"{name}-{head}-{pooling}.tflite"
        _quantize(path, apply_head(changed, head).content, "int8")
    small = apply_head(content, "logits-stride").content
    for recipe in recipe_names():
        _quantize(folder / f"{name}-{recipe}.tflite", small, recipe)
    made = (folder / f"{name}-logits-stride-resize.tflite").read_bytes()
    for dtype in INTERFACES:
        path = folder / f"{name}-io-{dtype}.tflite"
        path.write_bytes(set_interface(made, dtype))


def make_network(folder: Path, name: str) -> None:
    """Write a well-known network as `convert` lowers it, with two heads."""
    need("keras").utils.set_random_seed(_SEED)
    with third_party():
        model: KerasModel = NETWORKS[name]()
    content = join_repeats(lower(model))
    _quantize(folder / f"{name}.tflite", content, "int8")
    try:
        small = apply_head(content, "logits-stride").content
    except ConversionError:  # it ends at its own grid already
        return
    if small != content:
        _quantize(folder / f"{name}-logits-stride.tflite", small, "int8")


def _quantize(path: Path, content: bytes, recipe: str) -> None:
    import numpy as np

    from edgeseg.devices.litert import open_interpreter

    path.write_bytes(content)
    shape = open_interpreter(path).get_input_details()[0]["shape"]
    random = np.random.default_rng(_SEED)
    tensors = [random.uniform(-1, 1, shape) for _ in range(_PICTURES)]
    # what the weights are rounded to is no question here, and takes longest
    found = dataclasses.replace(load_recipe(recipe), rounding=False)
    ranges = measure(content, [t.astype(np.float32) for t in tensors])
    path.write_bytes(Quantization(content, found, ranges).make())


def main(arguments: list[str]) -> None:
    """Make the networks that are named, or all that are not there."""
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    there = {path.stem for path in folder.glob("*.tflite")}
    for name in arguments[1:] or [*SHIPPED, *NETWORKS]:
        if not arguments[1:] and {name, f"{name}-int8"} & there:
            continue
        print(f"== {name}", file=sys.stderr)
        if name in SHIPPED or name.endswith(".keras"):
            make_variants(folder, keras_file(name) if name in SHIPPED else Path(name))
        else:
            make_network(folder, name)


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(f"{__doc__}\nnetworks: {', '.join([*SHIPPED, *NETWORKS])}")
    main(sys.argv[1:])
