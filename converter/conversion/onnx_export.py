"""A float TFLite model as an ONNX model of the same tensors, through tf2onnx."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from edgeseg.converter.conversion.onnx_steps import write_steps
from edgeseg.converter.frameworks import need_onnx, third_party
from edgeseg.converter.isolation.folder import temporary_folder
from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.devices import ConversionError
from edgeseg.devices.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edgeseg.converter.frameworks import OnnxMessage
    from edgeseg.converter.quantization.qdq_weights import WeightSteps

# The newest set of operators that TensorRT takes on every JetPack: up to 13 with 8.2
# to 8.4 (JetPack 4.6, 5.0), up to 17 with 8.5 and 8.6 (JetPack 5.1, 6.0), from 9 on
# with 10 (onnx-tensorrt, docs/operators.md of those releases). Nothing here needs more.
OPSET = 13
_TOLERANCE = 1e-3  # of a size in cells: a scale was divided and stored in float32


def to_onnx(
    content: bytes,
    weights: Iterable[WeightSteps] = (),
    *,
    is_shared: bool = False,
    ends: Mapping[str, list[str]] | None = None,
) -> bytes:
    """Return a TFLite model that computes in float as ONNX of the same tensors.

    Parameters
    ----------
    content : bytes
        TFLite model of fixed shapes and ends that are NHWC. It may hold pairs of
        QUANTIZE and DEQUANTIZE, see `mark_steps`.
    weights : iterable of WeightSteps
        Weights that get such a pair too.
    is_shared : bool
        Whether all readers of a tensor may share one pair.
    ends : mapping or None
        tf2onnx's options that name the ends to be made NCHW; None leaves them NHWC.

    Raises
    ------
    ConversionError
        It has an operator that ONNX has not.
    MissingDriverError
        The extra ``onnx`` is not installed.
    """
    onnx = need_onnx("onnx")
    model = _exported(content, ends or {})
    _name_sizes(model)
    write_steps(model, weights, is_shared=is_shared)
    _settle_names(model)
    try:
        onnx.checker.check_model(model)
        model = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ConversionError(
            f"the model cannot be said in ONNX, opset {OPSET}: {one_line(error)}"
        ) from error
    _check_output(model, content, bool(ends))
    exported: bytes = model.SerializeToString(deterministic=True)
    return exported


def _exported(content: bytes, ends: Mapping[str, list[str]]) -> OnnxMessage:
    """Return what tf2onnx makes of a model, without versions that nothing uses."""
    with temporary_folder() as folder:
        path = folder / "float.tflite"
        path.write_bytes(content)
        tf2onnx = need_onnx("tf2onnx")
        try:
            with third_party():
                model, _ = tf2onnx.convert.from_tflite(str(path), opset=OPSET, **ends)
        except (ValueError, RuntimeError, TypeError, KeyError, AttributeError) as error:
            raise ConversionError(
                f"tf2onnx cannot export the model: {one_line(error, 300)}"
            ) from error
    foreign = sorted({node.op_type for node in model.graph.node if node.domain})
    if foreign:
        raise ConversionError(f"ONNX has no operators for {', '.join(foreign)}")
    kept = [entry for entry in model.opset_import if not entry.domain]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    model.producer_version = version("tf2onnx")
    return model


def _name_sizes(model: OnnxMessage) -> None:
    """Give every Resize the size of its result in place of a scale.

    tf2onnx writes scales. ONNX takes the result's size as their product with the
    input's, rounded down: of 49 * (385 / 49) in float32 only 384 cells may be left.
    """
    onnx = need_onnx("onnx")
    while True:
        resize = next((n for n in model.graph.node if _has_scales(n)), None)
        if resize is None:
            break
        inferred = onnx.shape_inference.infer_shapes(model).graph
        shape = _shape(inferred, resize.input[0])
        sizes = _sizes(shape, _constant(model, resize.input[2]))
        name = f"{resize.name}__sizes"
        model.graph.initializer.append(
            onnx.helper.make_tensor(name, onnx.TensorProto.INT64, [len(sizes)], sizes)
        )
        resize.input[:] = [resize.input[0], "", "", name]


def _settle_names(model: OnnxMessage) -> None:
    """Name and order constants by their first use, and leave out the others.

    tf2onnx numbers them as sets of Python come: another way each time. The ends get
    names that say what they are.
    """
    graph = model.graph
    constants = {weight.name: weight for weight in graph.initializer}
    used = dict.fromkeys(name for node in graph.node for name in node.input)
    kept = [name for name in used if name in constants]
    names = {name: f"constant_{index}" for index, name in enumerate(kept)}
    names |= {graph.input[0].name: "image", graph.output[0].name: "scores"}
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    for tensor in (*constants.values(), graph.input[0], graph.output[0]):
        tensor.name = names.get(tensor.name, tensor.name)
    ordered = [constants[name] for name in kept]
    del graph.initializer[:]
    graph.initializer.extend(ordered)


def _has_scales(node: OnnxMessage) -> bool:
    return bool(node.op_type == "Resize" and len(node.input) == 3)


def _sizes(shape: list[int], scales: list[float]) -> list[int]:
    exact = [length * scale for length, scale in zip(shape, scales, strict=True)]
    sizes = [round(size) for size in exact]
    if any(abs(s - e) > _TOLERANCE for s, e in zip(sizes, exact, strict=True)):
        raise ConversionError(f"a resize of {shape} by {scales} gives no whole cells")
    return sizes


def _constant(model: OnnxMessage, name: str) -> list[float]:
    onnx = need_onnx("onnx")
    for weight in model.graph.initializer:
        if weight.name == name:
            return [float(value) for value in onnx.numpy_helper.to_array(weight)]
    raise ConversionError(f"the scales {name} of a resize are no constant")


def _shape(graph: OnnxMessage, name: str) -> list[int]:
    """Return a tensor's inferred shape."""
    for tensor in (*graph.value_info, *graph.input, *graph.output):
        if tensor.name == name:
            return [dim.dim_value for dim in tensor.type.tensor_type.shape.dim]
    raise ConversionError(f"the shape of {name} cannot be inferred")


def _check_output(model: OnnxMessage, content: bytes, channels_first: bool) -> None:
    flat = FlatModel(content)
    expected = [int(n) for n in flat.shape(int(flat.graph.outputs[0]))]
    if channels_first:
        expected = [expected[0], expected[3], *expected[1:3]]
    got = _shape(model.graph, model.graph.output[0].name)
    if got != expected:
        raise ConversionError(f"the ONNX model gives {got}, float TFLite {expected}")
