"""The ends of a network: its head, and the types of its input and output.

The head gives scores at the input's size, at the grid's, or class ids.

Done on the float TFLite graph, so that it is the same for every kind of model that
comes in, and exact: operators are taken off or put on, none is changed.

``logits``
    One score a class at the size the model has.
``logits-stride``
    The last bilinear upsampling is left to the host, which then interpolates once,
    from the network's own grid to the picture.
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

HEADS = ("logits", "logits-stride", "labels")
# A softmax does not move the largest score: dropping it changes no label
_MONOTONE = ("SOFTMAX", "LOG_SOFTMAX")
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
    """

    content: bytes
    resize: str | None


def apply_head(content: bytes, head: str) -> ModelWithHead:
    """Take the operators off the end that a head does without.

    Parameters
    ----------
    content : bytes
        A float TFLite model with one output of scores ``(1, h, w, C)``.
    head : {"logits", "logits-stride", "labels"}
        ``logits`` leaves everything as it is.

    Raises
    ------
    ConversionError
        For ``logits-stride``: the model does not end in a bilinear
        resize that makes its grid larger.
    """
    if head == "logits":
        return ModelWithHead(content, None)
    flat = FlatModel(content)
    output = int(flat.graph.outputs[0])
    if flat.shape(output)[-1] > 1:
        output = _without(flat, output, _MONOTONE)
    if head == "labels":
        if flat.shape(output)[-1] < 2:
            raise ConversionError(
                "head 'labels' needs one score a class, the model has a single "
                "channel: take --head logits"
            )
        flat.set_output(output)
        return ModelWithHead(flat.to_bytes(), None)
    last = flat.producers().get(output)
    if last is None or not _enlarges(flat, last):
        raise ConversionError(
            "head 'logits-stride' needs a model that ends in a bilinear upsampling, "
            f"this one ends in {flat.kind(last) if last else 'its input'}: take "
            "--head logits"
        )
    flat.graph.operators.remove(last)
    flat.set_output(int(last.inputs[0]))
    return ModelWithHead(flat.to_bytes(), _alignment(last.builtinOptions))


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


def _without(flat: FlatModel, output: int, kinds: tuple[str, ...]) -> int:
    """Take operators of some kinds off the end; return what is then the output."""
    producers = flat.producers()
    while output in producers and flat.kind(producers[output]) in kinds:
        last = producers[output]
        if len(flat.consumers(output)):
            break  # something else reads it too
        flat.graph.operators.remove(last)
        output = int(last.inputs[0])
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
