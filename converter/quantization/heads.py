"""The ends of a network: its head, and the types of its input and output.

The head gives scores at the input's size, at the grid's, or class ids.

Done on the float TFLite graph, so that it is the same for every kind of model that
comes in, and exact: operators are taken off or put on, none is changed.

``auto``
    ``logits-stride`` where the network ends in an upsampling, else ``logits``.
``logits``
    One score a class at the size the model has.
``logits-stride``
    What the host does as well is left to it: softmax and sigmoid, which do not change
    the order of scores, and the last bilinear upsampling, so that it interpolates
    once, from the network's own grid to the picture. A 1x1 convolution behind the
    upsampling moves in front of it: both are linear, and the weights of an
    interpolation sum to 1, so that the order makes no difference.
``labels``
    Class ids, int32, by ARG_MAX in the graph.

Inside, a quantized model computes in int8. For ``uint8`` and ``float32`` it gets one
QUANTIZE at the front and one QUANTIZE or DEQUANTIZE at the end, as TensorFlow Lite's
own converter does; class ids stay int32.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need
from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.devices import ConversionError

if TYPE_CHECKING:
    from edgeseg.converter.frameworks import FlatOperator, FlatTable

HEADS = ("auto", "logits", "logits-stride", "labels")
# They do not move the largest score: dropping them changes no label
_MONOTONE = ("SOFTMAX", "LOG_SOFTMAX", "LOGISTIC")
INTERFACES = ("int8", "uint8", "float32")


@dataclass(frozen=True)
class ModelWithHead:
    """A model with the requested head.

    Parameters
    ----------
    content : bytes
        The flatbuffer; scores are its output, for the head ``labels`` too.
    resize : str or None
        Alignment of the resize that was taken off; None where none was.
    head : str or None
        ``"logit"`` where one channel of probabilities lost its sigmoid.
    chosen : str
        Which of `HEADS` it has, where ``auto`` left it open.
    """

    content: bytes
    resize: str | None
    head: str | None = None
    chosen: str = "logits"


def apply_head(content: bytes, head: str) -> ModelWithHead:
    """Take the operators off the end that a head does without.

    Parameters
    ----------
    content : bytes
        A float TFLite model with one output of scores ``(1, h, w, C)``.
    head : {"auto", "logits", "logits-stride", "labels"}
        ``logits`` leaves everything as it is.

    Raises
    ------
    ConversionError
        For ``logits-stride``: the model ends at its own grid, with nothing that the
        host could do.
    """
    if head == "logits":
        return ModelWithHead(content, None)
    flat = FlatModel(content)
    output = int(flat.graph.outputs[0])
    classes = flat.shape(output)[-1]
    if head == "labels" and classes < 2:
        raise ConversionError(
            "head 'labels' needs one score a class, the model has a single "
            "channel: take --head logits"
        )
    scores = _without_monotone(flat, output)
    if head == "labels":
        flat.set_output(scores)
        return ModelWithHead(flat.to_bytes(), None, chosen=head)
    last = flat.producers().get(scores)
    resize = None if last is None else _last_upsampling(flat, last)
    if resize is None and head == "auto":
        return ModelWithHead(content, None)
    if resize is None and scores == output:
        end = "its input" if last is None else flat.kind(last)
        raise ConversionError(
            "head 'logits-stride' needs a model that ends in a bilinear upsampling, "
            f"softmax or sigmoid, this one ends in {end}: take --head logits"
        )
    if resize is not None and last is not None:
        scores = _without_upsampling(flat, resize, last)
    flat.set_output(scores)
    return ModelWithHead(
        flat.to_bytes(),
        None if resize is None else _alignment(resize.builtinOptions),
        "logit" if classes == 1 and scores != output else None,
        chosen="logits-stride",
    )


def join_argmax(content: bytes) -> bytes:
    """Return a model whose scores go through ARG_MAX: class ids ``(1, h, w)`` int32.

    Parameters
    ----------
    content : bytes
        Float or quantized; quantizing does not move the largest score, so that the
        operator reads the integers themselves.
    """
    import numpy as np

    flat = FlatModel(content)
    scores = int(flat.graph.outputs[0])
    shape = flat.shape(scores)
    if flat.dtype(scores) == "int16":
        scores = _as_int32(flat, scores)
    axis = flat.add_constant("argmax/axis", np.array(len(shape) - 1, np.int32))
    ids = flat.add_tensor("labels", shape[:-1], "int32")
    schema = need("ai_edge_litert.schema_py_generated")
    options = schema.ArgMaxOptionsT()
    options.outputType = schema.TensorType.INT32
    flat.graph.operators.append(
        flat.operator("ARG_MAX", [scores, axis], [ids], options)
    )
    flat.set_output(ids)
    return flat.to_bytes()


def _as_int32(flat: FlatModel, scores: int) -> int:
    """Add a CAST at the end: ARG_MAX reads int8 and int32, not int16."""
    schema = need("ai_edge_litert.schema_py_generated")
    options = schema.CastOptionsT()
    options.inDataType = schema.TensorType.INT16
    options.outDataType = schema.TensorType.INT32
    wide = flat.add_tensor(f"{flat.name(scores)}/int32", flat.shape(scores), "int32")
    flat.graph.operators.append(flat.operator("CAST", [scores], [wide], options))
    return wide


def _without_monotone(flat: FlatModel, output: int) -> int:
    """Take off what does not change the order of scores; return the output then.

    Reshapes around it go with it, where the shape is the same before and behind.
    """
    producers, shape = flat.producers(), flat.shape(output)
    tensor, end, passed, taken = output, output, [], []
    while (last := producers.get(tensor)) is not None:
        before = int(last.inputs[0])
        keeps = flat.kind(last) == "RESHAPE" and flat.shape(before)[-1] == shape[-1]
        if len(flat.consumers(tensor)) > (tensor != output):
            break  # something else reads it too
        if not keeps and flat.kind(last) not in _MONOTONE:
            break
        passed.append(last)
        tensor = before
        if flat.shape(tensor) == shape:
            end, taken = tensor, list(passed)
    if all(flat.kind(one) == "RESHAPE" for one in taken):
        return output
    for one in taken:
        flat.graph.operators.remove(one)
    return end


def _last_upsampling(flat: FlatModel, last: FlatOperator) -> FlatOperator | None:
    """Return the upsampling at the end, or behind which one 1x1 convolution stands."""
    if _enlarges(flat, last):
        return last
    source = int(last.inputs[0])
    before = flat.producers().get(source)
    alone = len(flat.consumers(source)) == 1
    if before is None or not alone or not _commutes(flat, last):
        return None
    return before if _enlarges(flat, before) else None


def _commutes(flat: FlatModel, operator: FlatOperator) -> bool:
    """Return whether an operator is a convolution of single cells, without a bend."""
    if flat.kind(operator) != "CONV_2D":
        return False
    options, kernel = operator.builtinOptions, int(operator.inputs[1])
    return (
        flat.constant(kernel) is not None
        and flat.shape(kernel)[1:3] == (1, 1)
        and options.strideH == options.strideW == 1
        and not options.fusedActivationFunction
    )


def _without_upsampling(
    flat: FlatModel, resize: FlatOperator, last: FlatOperator
) -> int:
    """Take an upsampling off, from under a convolution too; return the output then."""
    flat.graph.operators.remove(resize)
    grid = int(resize.inputs[0])
    if last is resize:
        return grid
    output = int(last.outputs[0])
    last.inputs = [grid, *map(int, last.inputs[1:])]
    shape = flat.shape(grid)
    flat.tensor(output).shape = [*shape[:3], flat.shape(output)[-1]]
    flat.tensor(output).shapeSignature = None
    return output


def _enlarges(flat: FlatModel, operator: FlatOperator) -> bool:
    """Return whether an operator at the end is a bilinear resize to a larger grid."""
    if flat.kind(operator) != "RESIZE_BILINEAR":
        return False
    before, after = (
        flat.shape(int(t))[1:3] for t in (operator.inputs[0], operator.outputs[0])
    )
    return after != before and all(a >= b for a, b in zip(after, before, strict=True))


def _alignment(options: FlatTable) -> str:
    if options.alignCorners:
        return "align-corners"
    return "half-pixel" if options.halfPixelCenters else "legacy"


def set_interface(content: bytes, dtype: str) -> bytes:
    """Return a quantized model with input and scores of another type.

    Parameters
    ----------
    content : bytes
        A TFLite model; what has the type already, and class ids, stay.
    dtype : {"int8", "uint8", "float32"}
        Wanted type.

    Raises
    ------
    ConversionError
        The model computes in another type, such as float or int16, that cannot be
        given as ``uint8`` or ``int8``.
    """
    flat = FlatModel(content)
    source, output = int(flat.graph.inputs[0]), int(flat.graph.outputs[0])
    if flat.dtype(source) != dtype:
        _wrap_input(flat, source, dtype)
    if flat.dtype(output) not in (dtype, "int32", "int64"):
        _wrap_output(flat, output, dtype)
    return flat.to_bytes()


def _wrap_input(flat: FlatModel, inner: int, dtype: str) -> None:
    outer = _twin(flat, inner, dtype)
    flat.graph.operators.insert(0, flat.operator("QUANTIZE", [outer], [inner]))
    flat.set_input(outer)


def _wrap_output(flat: FlatModel, inner: int, dtype: str) -> None:
    outer = _twin(flat, inner, dtype)
    kind = "DEQUANTIZE" if dtype == "float32" else "QUANTIZE"
    flat.graph.operators.append(flat.operator(kind, [inner], [outer]))
    flat.set_output(outer)


def _twin(flat: FlatModel, inner: int, dtype: str) -> int:
    """Add a tensor that holds the same real values in another type."""
    scale, zero_point = flat.quantization(inner)
    held = flat.dtype(inner)
    if held not in ("int8", "int16") or (held == "int16" and dtype != "float32"):
        raise ConversionError(
            f"the model's {flat.name(inner)} is {held} and cannot be given as {dtype}: "
            f"take --io float32 or the recipe int8"
        )
    twin = flat.add_tensor(f"{flat.name(inner)}/{dtype}", flat.shape(inner), dtype)
    if dtype != "float32":
        flat.set_quantization(twin, scale, zero_point + 128)
    return twin
