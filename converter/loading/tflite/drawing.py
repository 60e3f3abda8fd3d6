"""The operators of a TFLite file drawn as a functional Keras model."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need, third_party
from edgeseg.converter.loading.format import UNREADABLE
from edgeseg.converter.loading.tflite.arithmetic import ARITHMETIC, activate
from edgeseg.converter.loading.tflite.call import ACTIVATIONS, Call
from edgeseg.converter.loading.tflite.convolutions import CONVOLUTIONS
from edgeseg.converter.loading.tflite.resampling import RESAMPLING
from edgeseg.converter.loading.tflite.rewriting import PADS
from edgeseg.converter.loading.tflite.shapes import FIXED_SIZES, SHAPES
from edgeseg.devices import InputError, ModelError
from edgeseg.devices.plain_text import one_line
from edgeseg.runtime.model.tensors import is_nchw

if TYPE_CHECKING:
    from edgeseg.converter.frameworks import KerasModel, KerasTensor
    from edgeseg.converter.loading.tflite.call import Draw, Value
    from edgeseg.converter.loading.tflite.ends import Scores
    from edgeseg.converter.loading.tflite.source import TFLiteSource
    from edgeseg.devices.placement.graph import Operator

_DRAWN: dict[str, Draw] = {**ARITHMETIC, **CONVOLUTIONS, **RESAMPLING, **SHAPES}
# Where a quantized result that cannot be negative stands for a ReLU
_COMPUTING = (
    "ADD",
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "FULLY_CONNECTED",
    "MUL",
    "QUANTIZE",
    "SUB",
    "TRANSPOSE_CONV",
)
_STRANGE = re.compile(r"[^A-Za-z0-9]+")
_LONGEST = 40  # letters of a tensor's name that a layer keeps


def draw(source: TFLiteSource, scores: Scores) -> KerasModel:
    """Return the network of a file up to its scores.

    Parameters
    ----------
    source : TFLiteSource
        Rewritten.
    scores : Scores
        Where the network ends.

    Returns
    -------
    keras.Model
        Input ``(1, H, W, 3)`` float32, output ``(1, h, w, C)``.

    Raises
    ------
    ModelError
        It holds an operator that is unknown here; the message names it.
    """
    operators = needed(source, scores.index)
    _check_known(source, operators)
    keras = need("keras")
    shape = source.inputs[0].shape
    first = is_nchw(shape)
    height, width, colours = (*shape[2:4], shape[1]) if first else shape[1:4]
    image = keras.Input(batch_shape=(1, height, width, colours), name="image")
    start = keras.layers.Permute((3, 1, 2), name="to_channels_first")(image)
    values: dict[int, Value] = {source.input_indices[0]: start if first else image}
    for operator in operators:
        try:
            with third_party():
                made = _draw_one(source, operator, values)
        except UNREADABLE as error:
            if isinstance(error, (ModelError, InputError)):
                raise ModelError(f"{source.path}: {error}") from error
            raise ModelError(
                f"{source.path}: operator {operator.index} {operator.kind} cannot be "
                f"drawn: {one_line(error, 160)}"
            ) from error
        values.update(zip(operator.outputs, made, strict=False))
    end = values.get(scores.index)
    if not isinstance(end, keras.KerasTensor):
        raise ModelError(f"{source.path}: its output does not depend on the picture")
    if scores.channels_first and len(end.shape) == 4:
        end = keras.layers.Permute((2, 3, 1), name="to_channels_last")(end)
    return keras.Model(image, end, name="segmenter")


def needed(source: TFLiteSource, index: int) -> list[Operator]:
    """Return the operators that a tensor depends on, in the order of execution."""
    wanted, found = {index}, []
    for operator in reversed(source.operators):
        if wanted & {*operator.outputs}:
            wanted.update(operator.inputs)
            found.append(operator)
    return found[::-1]


def check_resizable(source: TFLiteSource, scores: Scores) -> None:
    """Raise `InputError` where --size cannot be: sizes are built into the graph.

    Parameters
    ----------
    source : TFLiteSource
        Rewritten.
    scores : Scores
        Where the network ends.
    """
    for operator in needed(source, scores.index):
        one_cell = source.tensor(operator.inputs[0]).shape[1:3] == (1, 1)
        tiled = operator.kind in ("TILE", "BROADCAST_TO") and one_cell
        if operator.kind in FIXED_SIZES and not tiled:
            raise InputError(
                f"{source.path} has its input size built into operator "
                f"{operator.index} {operator.kind}: leave out --size"
            )


def _draw_one(
    source: TFLiteSource, operator: Operator, values: dict[int, Value]
) -> tuple[Value, ...]:
    name = _layer_name(source, operator)
    read = [values[t] if t in values else source.real(t) for t in operator.inputs]
    if pads := operator.options.get(PADS):
        layer = need("keras").layers.ZeroPadding2D(pads, name=f"{name}_pad")
        read[0] = layer(read[0])
    call = Call(
        name=name,
        kind=operator.kind,
        options=operator.options,
        values=tuple(read),
        shapes=tuple(source.tensor(t).shape for t in operator.outputs),
    )
    made = _DRAWN[operator.kind](call)
    if isinstance(made, tuple):
        return made
    _check_shape(call, made)
    return (_activated(source, operator, made, name),)


def _activated(
    source: TFLiteSource, operator: Operator, made: KerasTensor, name: str
) -> KerasTensor:
    fused = operator.options.get("fusedActivationFunction") or 0
    if fused not in ACTIVATIONS:
        raise ModelError(
            f"operator {operator.index} {operator.kind} has the unknown activation "
            f"{fused}"
        )
    kind = ACTIVATIONS[fused]
    if kind is None and operator.kind in _COMPUTING:
        kind = source.implied_activation(operator.outputs[0])
    return activate(made, kind, f"{name}_{kind}")


def _check_shape(call: Call, made: KerasTensor) -> None:
    shape = tuple(made.shape)
    if shape != call.shapes[0]:
        raise call.unsupported(
            f"it makes {list(shape)} where the file says {list(call.shapes[0])}"
        )


def _layer_name(source: TFLiteSource, operator: Operator) -> str:
    """Return a name of its own: place, and the end of the tensor's name."""
    tail = source.tensor(operator.outputs[0]).name.split(";")[0]
    words = _STRANGE.sub("_", tail)[-_LONGEST:].strip("_")
    return f"{operator.index}_{words or operator.kind.lower()}"


def _check_known(source: TFLiteSource, operators: list[Operator]) -> None:
    strange = sorted({op.kind for op in operators} - set(_DRAWN))
    if not strange:
        return
    names = ", ".join(strange)
    if "edgetpu-custom-op" in strange:
        raise ModelError(
            f"{source.path} was compiled for an Edge TPU, which cannot be undone: "
            "convert the file that it was compiled from (without _edgetpu)"
        )
    raise ModelError(
        f"{source.path} holds operators that cannot be converted: {names}; convert the "
        "model that the file was made of, or export it with TensorFlow Lite's built-in "
        "operators alone"
    )
