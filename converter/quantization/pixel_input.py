"""An uint8 input that takes pixels as they are, whatever the network was trained with.

One scale and one zero point serve all channels of an input. Where a network normalizes
its channels differently, or has blue first, the bytes that the input stores are not
those of a photo. A 1x1 convolution in front of the network makes the one of the other::

    stored[c] = (pixel[order[c]] - mean[c]) / std[c]

Its weights and its bias have a scale for each channel, so that its error is that of
rounding to the network's own input.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need
from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.devices import TensorSpec
from edgeseg.runtime.segmentation.letterbox import encoding_table

if TYPE_CHECKING:
    from edgeseg.runtime import Manifest

# Steps by which a stored byte may differ from the pixel: a scale of 1/127.5 has no zero
# point at 127.5, and photos without black or white narrow the range that it covers
_STEPS = 8
_LARGEST = 127  # of an int8 weight


def stores_pixels(source: TensorSpec, manifest: Manifest) -> bool:
    """Return whether the bytes of an uint8 input are those of RGB pixels."""
    import numpy as np

    if source.dtype != "uint8" or manifest.channels != "rgb":
        return False
    stored = encoding_table(source, manifest).astype(int)
    return bool(np.abs(stored - np.arange(256)[:, None]).max() <= _STEPS)


def pixel_manifest(manifest: Manifest) -> Manifest:
    """Return the manifest of a model that takes RGB pixels as they are."""
    return dataclasses.replace(
        manifest, mean=(0.0,) * 3, std=(1.0,) * 3, channels="rgb"
    )


def take_pixels(content: bytes, manifest: Manifest) -> bytes:
    """Return a model whose uint8 input takes RGB pixels as they are.

    Parameters
    ----------
    content : bytes
        A TFLite model with an int8 input of three colours ``(1, H, W, 3)``.
    manifest : Manifest
        How the input is fed.
    """
    import numpy as np

    flat = FlatModel(content)
    inner = int(flat.graph.inputs[0])
    name, shape = flat.name(inner), flat.shape(inner)
    bytes_ = flat.add_tensor(f"{name}/uint8", shape, "uint8")
    flat.set_quantization(bytes_, 1.0, 0)
    signed = flat.add_tensor(f"{name}/pixels", shape, "int8")
    flat.set_quantization(signed, 1.0, -128)

    mean, std = np.array(manifest.mean), np.array(manifest.std)
    weights = np.eye(3, dtype=np.int8)[:, None, None] * np.int8(_LARGEST)
    if manifest.channels == "bgr":
        weights = weights[..., ::-1]
    weights = weights * np.sign(std).astype(np.int8)[:, None, None, None]
    scales = 1 / (np.abs(std) * _LARGEST)
    kernel = flat.add_constant(f"{name}/normalize", np.ascontiguousarray(weights))
    flat.set_quantization(kernel, scales, np.zeros(3))
    shift = np.round(-mean / std / scales).astype(np.int32)
    bias = flat.add_constant(f"{name}/shift", shift)
    flat.set_quantization(bias, scales, np.zeros(3))

    options = need("ai_edge_litert.schema_py_generated").Conv2DOptionsT()
    options.strideH = options.strideW = 1
    options.dilationHFactor = options.dilationWFactor = 1
    flat.graph.operators[:0] = [
        flat.operator("QUANTIZE", [bytes_], [signed]),
        flat.operator("CONV_2D", [signed, kernel, bias], [inner], options),
    ]
    flat.set_input(bytes_)
    return flat.to_bytes()
