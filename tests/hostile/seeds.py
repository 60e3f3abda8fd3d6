"""Small good files that inputs are made of; ``python -m hostile.seeds`` makes them.

They are kept in ``seeds``, so that no test needs TensorFlow to have them: a network of
three convolutions as a ``.keras`` file, an ``.h5`` file, a SavedModel, float TFLite and
ONNX, with ranges and the state of a training.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from functools import cache
from pathlib import Path

HERE = Path(__file__).with_name("seeds")
GOLDEN = Path(__file__).resolve().parents[1] / "golden"
KERAS, HDF5, SAVED = "tiny.keras", "tiny.h5", "tiny_saved_model"
FLAT, ONNX, RANGES, STATE = "tiny.tflite", "tiny.onnx", "tiny.ranges.json", "state.npz"
REFERENCE, JOURNAL = "reference", "rows.jsonl"
RECORDS = "eval.json", "against.json", "bench.json", "parity.json"
SIZE_HW = 17, 17


@cache
def seed(name: str) -> bytes:
    """Return the content of a seed."""
    return (HERE / name).read_bytes()


@cache
def model() -> bytes:
    """Return the shapes network as int8 TFLite, with its manifest."""
    return (GOLDEN / "shapes.tflite").read_bytes()


def make() -> None:
    """Write all seeds anew."""
    import keras

    keras.utils.set_random_seed(1)
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir()
    network = _network(keras)
    network.save(HERE / KERAS)
    network.save(HERE / HDF5)
    network.export(HERE / SAVED, verbose=False)
    _convert()
    _save_ranges()
    _save_state()
    measure()


def measure() -> None:
    """Write records, a journal and a reference of the good model on the good data."""
    from click.testing import CliRunner
    from hostile.case import MODEL
    from hostile.good_files import put_dataset, put_model

    from edgeseg.runtime.cli import main

    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        folder = Path(name)
        put_model(folder)
        put_dataset(folder)
        for words in (
            f"eval {MODEL} data --json eval.json",
            f"reference {MODEL} data -o {REFERENCE}",
            f"eval {MODEL} data --against {REFERENCE} --json against.json",
            f"bench {MODEL} data/images --quick --json bench.json",
        ):
            CliRunner().invoke(main, words.split(), catch_exceptions=False)
        told = CliRunner().invoke(main, ["parity", MODEL, REFERENCE, "--json"])
        (folder / "parity.json").write_text(told.stdout)
        journal = (folder / REFERENCE / "pictures.jsonl").read_text().splitlines()[1:]
        (folder / JOURNAL).write_text("".join(f"{line}\n" for line in journal))
        (folder / REFERENCE / "dataset.txt").write_text("data\n")
        for name in (*RECORDS, JOURNAL):
            shutil.copy(folder / name, HERE / name)
        shutil.copytree(folder / REFERENCE, HERE / REFERENCE, dirs_exist_ok=True)


def _network(keras):
    layers = keras.layers
    image = keras.Input((*SIZE_HW, 3), name="image")
    x = layers.Conv2D(6, 3, strides=2, padding="same", name="first")(image)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.ReLU(6.0, name="relu")(x)
    x = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
    x = layers.Conv2D(4, 1, name="logits")(x)
    scores = layers.Resizing(*SIZE_HW, name="up")(x)
    return keras.Model(image, scores, name="tiny")


def _convert() -> None:
    from edgeseg.converter import convert
    from edgeseg.runtime import Overrides

    with tempfile.TemporaryDirectory() as folder:
        labels = Path(folder) / "labels.txt"
        labels.write_text("background\ndisc\nsquare\ntriangle\n")
        overrides = Overrides(labels=str(labels))
        for name, recipe in ((FLAT, "float32"), (ONNX, "float32")):
            convert(
                HERE / KERAS, output=HERE / name, recipe=recipe, overrides=overrides
            )


def _save_ranges() -> None:
    import numpy as np

    from edgeseg.converter.quantization.flatbuffer import FlatModel
    from edgeseg.converter.quantization.origin import Origin
    from edgeseg.converter.quantization.ranges import Ranges
    from edgeseg.converter.quantization.ranges_file import save_ranges
    from edgeseg.converter.quantization.refine import IntegerWeights, rows_at
    from edgeseg.converter.quantization.rounding import clipped_scales

    flat = FlatModel((HERE / FLAT).read_bytes())
    written = [int(t) for o in flat.graph.operators for t in o.outputs]
    names = [flat.name(i) for i in [*map(int, flat.graph.inputs), *written]]
    rounded = {}
    for place, operator in enumerate(flat.graph.operators):
        if flat.kind(operator).endswith("CONV_2D"):
            rows = rows_at(flat, place)
            steps = np.ones(rows.shape, np.int8)
            correction = np.zeros(len(rows), np.float32)
            scales = clipped_scales(rows).astype(np.float32)
            rounded[place] = IntegerWeights(scales, steps, correction)
    bounds = {name: (-1.0, 1.0) for name in names}
    origin = Origin("weights", {}, {})
    ranges = Ranges(origin, bounds, bounds, rounded, {"pictures": 32})
    (HERE / RANGES).write_bytes(save_ranges(ranges, flat))


def _save_state() -> None:
    import numpy as np

    from edgeseg.converter.training.state import Progress, write_state

    arrays = {"weights": [np.ones((3, 4), np.float32)], "average": [np.zeros(5)]}
    write_state(HERE / STATE, {"rate": 0.1}, Progress(step=3, total=9), arrays)


if __name__ == "__main__":
    make()
    print(json.dumps({p.name: p.stat().st_size for p in sorted(HERE.rglob("*"))}))
