"""Quantize a network with Sony's toolkit; run by path, by the toolkit's own Python.

The toolkit wants TensorFlow 2.15 and NumPy 1, which edgeseg cannot have beside its own:
this file imports nothing of edgeseg. ``python worker.py FOLDER`` reads

``network.json``
    Operators in the order of execution; see `write_network`.
``weights.npz``
    Constants by the number of their tensor.
``pictures.npy``
    ``(N, H, W, 3)`` float32, as the network sees them.

and writes ``quantized.keras``, ``float.npy`` and ``quantized.npy`` (the answers of both
networks to the first pictures) and ``tools.json``. ``python worker.py MODEL PICTURES
ANSWERS`` runs a quantized file on more pictures.

References
----------
Sony, Model Compression Toolkit, "Post Training Quantization for Keras",
https://sonysemiconductorsolutions.github.io/mct-model-optimization/
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import TypeAlias

    # Keras 2 and the toolkit are not there where types are checked
    Untyped: TypeAlias = Any

_COMPARED = 16
_SAME = 0  # padding, in the schema of TensorFlow Lite
_BATCH = 4


def build(network: dict[str, Untyped], weights: Untyped) -> Untyped:
    """Return the network as a Keras 2 model; every operator has a layer that fits.

    A resize with aligned corners, which the chip lacks, becomes two steps that give
    the same: each cell repeated, and the mean over as many.
    """
    from tensorflow import keras

    values = {network["input"]: keras.Input(network["shape"][1:], name="image")}
    image = values[network["input"]]
    for operator in network["operators"]:
        draw = _DRAWN[operator["kind"]]
        read = [t for t in operator["inputs"] if t >= 0]
        made = draw(
            keras.layers,
            operator,
            [values[t] for t in read if t in values],
            [weights[str(t)] for t in read if t not in values],
        )
        values[operator["output"]] = _activated(keras.layers, operator, made)
    return keras.Model(image, values[network["output"]])


def _conv(
    layers: Untyped, operator: Untyped, read: Untyped, constants: Untyped
) -> Untyped:
    kernel = constants[0]
    depthwise = operator["kind"] == "DEPTHWISE_CONV_2D"
    options = operator["options"]
    settings = {
        "strides": (options["strideH"], options["strideW"]),
        "dilation_rate": (options["dilationHFactor"], options["dilationWFactor"]),
        "padding": "same" if options["padding"] == _SAME else "valid",
        "use_bias": len(constants) > 1,
        "name": operator["name"],
    }
    if depthwise:
        kernel = kernel[0].reshape(*kernel.shape[1:3], read[0].shape[-1], -1)
        layer = layers.DepthwiseConv2D(
            kernel.shape[:2], depth_multiplier=kernel.shape[3], **settings
        )
    else:
        kernel = kernel.transpose(1, 2, 3, 0)
        groups = read[0].shape[-1] // kernel.shape[2]
        layer = layers.Conv2D(
            kernel.shape[3], kernel.shape[:2], groups=groups, **settings
        )
    x = read[0]
    if operator["pads"]:
        x = layers.ZeroPadding2D(operator["pads"], name=f"{operator['name']}_pad")(x)
    made = layer(x)
    layer.set_weights([kernel, *(bias.ravel() for bias in constants[1:])])
    return made


def _resize(layers: Untyped, operator: Untyped, read: Untyped, _: Untyped) -> Untyped:
    name, (height, width) = operator["name"], operator["shape"][1:3]
    was = read[0].shape[1:3]
    if tuple(was) == (1, 1):
        return layers.UpSampling2D((height, width), name=name)(read[0])
    if not operator["options"]["alignCorners"]:
        return layers.Resizing(height, width, name=name)(read[0])
    times = (height - 1) // (was[0] - 1), (width - 1) // (was[1] - 1)
    repeated = layers.UpSampling2D(times, name=f"{name}_repeat")(read[0])
    return layers.AveragePooling2D(times, strides=1, padding="valid", name=name)(
        repeated
    )


def _pool(layers: Untyped, operator: Untyped, read: Untyped, _: Untyped) -> Untyped:
    mean = operator["kind"] == "AVERAGE_POOL_2D"
    options = operator["options"]
    return (layers.AveragePooling2D if mean else layers.MaxPooling2D)(
        (options["filterHeight"], options["filterWidth"]),
        strides=(options["strideH"], options["strideW"]),
        padding="same" if options["padding"] == _SAME else "valid",
        name=operator["name"],
    )(read[0])


def _activated(layers: Untyped, operator: Untyped, made: Untyped) -> Untyped:
    kind = operator["activation"]
    if kind is None:
        return made
    name = f"{operator['name']}_{kind}"
    return layers.ReLU(6.0 if kind == "relu6" else None, name=name)(made)


_DRAWN = {
    "ADD": lambda layers, op, read, _: layers.Add(name=op["name"])(read),
    "AVERAGE_POOL_2D": _pool,
    "CONCATENATION": lambda layers, op, read, _: layers.Concatenate(name=op["name"])(
        read
    ),
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _conv,
    "MAX_POOL_2D": _pool,
    "MEAN": lambda layers, op, read, _: layers.GlobalAveragePooling2D(
        keepdims=True, name=op["name"]
    )(read[0]),
    "RELU": lambda _, __, read, ___: read[0],
    "RELU6": lambda _, __, read, ___: read[0],
    "RESIZE_BILINEAR": _resize,
}


def quantize(folder: Path) -> None:
    """Build, quantize, and answer to the first pictures; see the module."""
    import model_compression_toolkit as mct
    import numpy as np
    import tensorflow as tf

    network = json.loads((folder / "network.json").read_text("utf-8"))
    pictures = np.load(folder / "pictures.npy", mmap_mode="r")
    with np.load(folder / "weights.npz") as weights:
        model = build(network, weights)
    np.save(folder / "float.npy", answers(model, pictures[:_COMPARED]))
    made, _ = mct.ptq.keras_post_training_quantization(
        model,
        lambda: ([picture[None]] for picture in pictures),
        target_platform_capabilities=mct.get_target_platform_capabilities(
            "tensorflow", "imx500"
        ),
    )
    np.save(folder / "quantized.npy", answers(made, pictures[:_COMPARED]))
    mct.exporter.keras_export_model(
        model=made, save_model_path=str(folder / "quantized.keras")
    )
    versions = {
        "model-compression-toolkit": mct.__version__,
        "tensorflow": tf.__version__,
    }
    (folder / "tools.json").write_text(json.dumps(versions), "utf-8")


def answers(model: Untyped, pictures: Untyped) -> Untyped:
    """Return a model's answers ``(N, h, w, C)``."""
    import numpy as np

    return np.concatenate(
        [
            model(np.ascontiguousarray(pictures[i : i + _BATCH]), training=False)
            for i in range(0, len(pictures), _BATCH)
        ]
    )


def answer_all(model: str, pictures: str, target: str) -> None:
    """Run a quantized file on a ``.npy`` of pictures and keep its answers."""
    import model_compression_toolkit as mct
    import numpy as np

    loaded = mct.keras_load_quantized_model(model)
    np.save(target, answers(loaded, np.load(pictures, mmap_mode="r")))


if __name__ == "__main__":
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    if len(sys.argv) == 2:
        quantize(Path(sys.argv[1]))
    else:
        answer_all(*sys.argv[1:4])
