"""The start of a training through int8: weights as the converter rounds them.

The converter does not round weights to the nearest step but so that each layer's
output changes least, and corrects the bias. That already loses little. Training
through nearest rounding from the float weights has to win that back first; from the
converter's integers it starts where conversion ends.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from edgeseg.converter.calibration.calibrate import (
    CalibrationTensors,
    calibration_pictures,
)
from edgeseg.converter.conversion.float_model import lower
from edgeseg.converter.conversion.keras_device import segmenter_of
from edgeseg.converter.frameworks import third_party
from edgeseg.converter.loading.format import Loaded
from edgeseg.converter.networks.folding import channel_axes
from edgeseg.converter.networks.graph import LayerGraph
from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.converter.quantization.ranges import measure
from edgeseg.converter.quantization.rounding import LIMIT
from edgeseg.converter.training.int8.rounding import lifted
from edgeseg.converter.training.int8.training_graph import (
    measure_ranges,
    prepare,
    restore,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from edgeseg.converter.frameworks import KerasLayer, KerasModel
    from edgeseg.converter.quantization.ranges import Ranges
    from edgeseg.converter.quantization.refine import IntegerWeights
    from edgeseg.converter.training.start.batch_graph import Start
    from edgeseg.devices.types import Array


def settle(folded: KerasModel, tensors: Iterable[Array]) -> KerasModel:
    """Return a model whose weights are those that the converter would ship.

    Parameters
    ----------
    folded : keras.Model
        From `fold`. Left as it is. Keras must run on TensorFlow.
    tensors : iterable of ndarray
        Calibration tensors ``(1, H, W, 3)`` float32, each used once.

    Returns
    -------
    keras.Model
        The same layers. Kernels of convolutions are whole steps that
        `fake_quantize_weights` finds, biases are corrected; what the converter rounds
        to the nearest is as it was.

    Raises
    ------
    ConversionError
        TensorFlow Lite cannot express the model, or a tensor is not finite.
    """
    content = lower(LayerGraph.of(folded).copy(batch_size=1))
    return settle_by(folded, content, measure(content, tensors))


def settle_by(folded: KerasModel, content: bytes, ranges: Ranges) -> KerasModel:
    """Return the same from a calibration that was made already.

    Parameters
    ----------
    folded : keras.Model
        From `fold`.
    content : bytes
        The same model as float TFLite; see `lower`.
    ranges : Ranges
        From `measure`, of that file.
    """
    flat = FlatModel(content)
    settled = LayerGraph.of(folded).copy()
    kernels = {
        _key(layer, layer.get_weights()[0]): layer
        for layer in settled.layers
        if type(layer).__name__ in ("Conv2D", "DepthwiseConv2D") and layer.use_bias
    }
    for place, weights in ranges.rounded.items():
        constant = flat.constant(int(flat.graph.operators[place].inputs[1]))
        layer = None if constant is None else kernels.get(constant.tobytes())
        if layer is not None:
            _set(layer, weights)
    return settled


def _key(layer: KerasLayer, kernel: Array) -> bytes:
    """Return a kernel's bytes in TensorFlow Lite's order of axes."""
    if type(layer).__name__ == "Conv2D":
        return kernel.transpose(3, 0, 1, 2).tobytes()
    return kernel.tobytes()


def _set(layer: KerasLayer, weights: IntegerWeights) -> None:
    """Give a convolution rounded weights; its largest step is made to be the last."""
    import numpy as np

    with third_party():
        kernel, bias = layer.get_weights()
    steps = weights.steps.astype(np.float64)
    largest = np.abs(steps).argmax(axis=1)[:, None]
    ends = np.sign(np.take_along_axis(steps, largest, 1)) * LIMIT
    np.put_along_axis(steps, largest, ends, 1)
    if type(layer).__name__ == "Conv2D":
        height, width, channels, _ = kernel.shape
        held = steps.reshape(-1, height, width, channels).transpose(1, 2, 3, 0)
        scales = weights.scales
    else:  # one row a channel, a window in each
        held = steps.T.reshape(kernel.shape)
        scales = weights.scales.reshape(kernel.shape[2:])
    with third_party():
        on_grid = lifted(held, scales, channel_axes(layer))
        layer.set_weights([on_grid, bias + weights.correction])


def through_int8(start: Start, photos: Path, judged: Iterable[str] = ()) -> Start:
    """Return a start that rounds as the converter's recipe ``int8`` does.

    Its weights begin as the converter would ship them, its ranges stay as the photos
    gave them.

    Parameters
    ----------
    start : Start
        Trained already, its norms folded. Keras must run on TensorFlow.
    photos : Path
        Folder to calibrate with.
    judged : iterable of str
        Names of the pictures that the training is judged by: they are left out where
        they are among the photos.

    Raises
    ------
    InputError
        The photos cannot be calibrated with.
    ConversionError
        TensorFlow Lite cannot express the network.
    """
    chosen = calibration_pictures(photos, leave_out=judged)
    segmenter = segmenter_of(Loaded(start.model, start.resize))
    tensors = CalibrationTensors(segmenter, chosen.paths)
    ranges = measure_ranges(start.model, tensors)
    prepared = prepare(settle(start.model, tensors), ranges)
    note = f"rounding as int8 does, calibrated on {len(chosen)} photos"
    return dataclasses.replace(
        start, model=prepared, rounded=True, notes=(*start.notes, note)
    )


def plain(start: Start) -> KerasModel:
    """Return a start's network of stock layers, with the weights it has by now."""
    return restore(start.model) if start.rounded else start.model
