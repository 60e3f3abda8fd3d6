"""Float islands in a quantized graph turned into int8.

ai-edge-quantizer knows a list of operators. What is not on it stays in float, with
DEQUANTIZE in front and QUANTIZE behind, although TensorFlow Lite computes many such
operators in int8 (see `edgeseg.converter.quantization.kernels`). They are given the
int8 tensors themselves, and the conversions around them go away::

    int8 -> DEQUANTIZE -> PRELU -> LEAKY_RELU -> QUANTIZE -> int8
    int8 -> PRELU -> LEAKY_RELU -> int8

An operator is turned only where everything that it reads and everything that reads it
is int8 afterwards. All others are left as they were.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need
from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.converter.quantization.kernels import (
    COMMON,
    FIXED,
    KEPT,
    KERNELS,
    MASKS,
    REWRITTEN,
    can_compare,
    steps_of,
    symmetric_steps,
    to_int8,
    widest,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from edgeseg.converter.frameworks import FlatOperator
    from edgeseg.converter.quantization.kernels import Steps
    from edgeseg.devices.types import Array

    Ranges = Mapping[str, tuple[float, float]]


def fill_islands(
    quantized: bytes,
    flat: FlatModel,
    ranges: Ranges,
    *,
    keep_float: Collection[int] = (),
) -> bytes:
    """Return a quantized model whose float islands compute in int8.

    Parameters
    ----------
    quantized : bytes
        What the quantizer made of `flat`.
    flat : FlatModel
        The float model.
    ranges : mapping of str to (float, float)
        Lowest and highest value of the float model's tensors, by name.
    keep_float : collection of int
        Places of operators in `flat` that are to stay in float.
    """
    model = FlatModel(quantized)
    kept = {
        flat.name(int(t))
        for place in keep_float
        for t in flat.graph.operators[place].outputs
    }
    turned = _turnable(model, ranges, kept)
    if not turned:
        return quantized
    for operator in turned:
        _turn(model, operator, ranges)
    _drop_conversions(model)
    return model.to_bytes()


def _turnable(
    model: FlatModel, ranges: Ranges, kept: Collection[str]
) -> list[FlatOperator]:
    """Return the operators to turn, in order: the largest set that holds together."""
    makers = model.producers()
    chosen = [
        operator
        for operator in model.graph.operators
        if model.kind(operator) in KERNELS
        and _real_inputs(model, operator)
        and not any(model.name(int(t)) in kept for t in operator.outputs)
    ]
    while True:
        inside = {id(operator) for operator in chosen}
        good = [
            operator
            for operator in chosen
            if _is_fed(model, operator, makers, inside)
            and _is_drained(model, operator, ranges, inside)
        ]
        if len(good) == len(chosen):
            return chosen
        chosen = good


def _is_fed(
    model: FlatModel,
    operator: FlatOperator,
    makers: Mapping[int, FlatOperator],
    inside: set[int],
) -> bool:
    """Return whether each float input will be int8 and each constant can be."""
    for tensor in _real_inputs(model, operator):
        maker = makers.get(tensor)
        if model.constant(tensor) is not None:
            fed = _can_hold(model, operator, makers, tensor)
        else:
            fed = id(maker) in inside or _is_dequantize(model, maker)
        if not fed:
            return False
    return True


def _can_hold(
    model: FlatModel,
    operator: FlatOperator,
    makers: Mapping[int, FlatOperator],
    tensor: int,
) -> bool:
    """Return whether a float constant of an operator can be given in int8."""
    kind = model.kind(operator)
    if kind == "PRELU":
        return tensor == int(operator.inputs[1])
    if kind not in (*COMMON, *MASKS):
        return False
    others = [int(t) for t in operator.inputs if int(t) != tensor]
    maker = makers.get(others[0]) if others else None
    if maker is None or not _is_dequantize(model, maker):
        return False  # its steps are not known yet
    steps = model.quantization(int(maker.inputs[0]))
    return can_compare(kind, _values_of(model, tensor), steps)


def _is_drained(
    model: FlatModel, operator: FlatOperator, ranges: Ranges, inside: set[int]
) -> bool:
    """Return whether each output is read as int8 only, in steps that are known."""
    if model.kind(operator) in MASKS:
        return True
    for tensor in map(int, operator.outputs):
        readers = model.consumers(tensor)
        quantizes = [_is_quantize(model, reader) for reader in readers]
        known = any(quantizes) or model.name(tensor) in ranges
        alike = all(
            quantize or id(reader) in inside
            for quantize, reader in zip(quantizes, readers, strict=True)
        )
        if not readers or not known or not alike or _is_output(model, tensor):
            return False
    return True


def _turn(model: FlatModel, operator: FlatOperator, ranges: Ranges) -> None:
    """Make one operator read and write int8."""
    makers = model.producers()
    for tensor in _real_inputs(model, operator):
        if tensor in makers:
            _reread(operator, tensor, int(makers[tensor].inputs[0]))
    kind = model.kind(operator)
    steps = _steps(model, operator, ranges)
    for tensor in _real_inputs(model, operator):
        held = symmetric_steps(_values_of(model, tensor)) if kind == "PRELU" else steps
        _take_constant(model, operator, tensor, held)
    for tensor in {int(t) for t in operator.inputs} if kind in COMMON else ():
        if model.quantization(tensor) != steps:
            _take_aligned(model, operator, tensor, steps)
    for tensor in map(int, operator.outputs) if kind not in MASKS else ():
        model.set_dtype(tensor, "int8")
        model.set_quantization(tensor, *steps)
    if kind in REWRITTEN:
        _rewrite(model, operator)


def _steps(model: FlatModel, operator: FlatOperator, ranges: Ranges) -> Steps:
    """Return the steps of an operator's output, or of its constant for a mask."""
    kind, output = model.kind(operator), int(operator.outputs[0])
    if kind in FIXED:
        return FIXED[kind]
    read = next(int(t) for t in operator.inputs if model.dtype(int(t)) == "int8")
    if kind in (*KEPT, *MASKS) or (kind in COMMON and _real_inputs(model, operator)):
        return model.quantization(read)
    wanted = [
        model.quantization(int(reader.outputs[0]))
        for reader in model.consumers(output)
        if _is_quantize(model, reader)
    ]
    return widest(wanted) if wanted else steps_of(*ranges[model.name(output)])


def _rewrite(model: FlatModel, operator: FlatOperator) -> None:
    """Put ``0 - x`` in place of NEG and ``x * x`` in place of SQUARE."""
    import numpy as np

    schema = need("ai_edge_litert.schema_py_generated")
    source, outputs = int(operator.inputs[0]), list(operator.outputs)
    if model.kind(operator) == "SQUARE":
        made = model.operator("MUL", [source, source], outputs, schema.MulOptionsT())
    else:
        steps = model.quantization(source)
        zero = model.add_constant("zero", np.array(steps[1], np.int8))
        model.set_quantization(zero, *steps)
        made = model.operator("SUB", [zero, source], outputs, schema.SubOptionsT())
    model.graph.operators[model.graph.operators.index(operator)] = made


def _is_quantize(model: FlatModel, operator: FlatOperator) -> bool:
    """Return whether an operator makes int8."""
    made = model.dtype(int(operator.outputs[0]))
    return model.kind(operator) == "QUANTIZE" and made == "int8"


def _is_dequantize(model: FlatModel, operator: FlatOperator | None) -> bool:
    """Return whether an operator makes an int8 activation real; not so for weights."""
    if operator is None or model.kind(operator) != "DEQUANTIZE":
        return False
    source = int(operator.inputs[0])
    return model.dtype(source) == "int8" and model.constant(source) is None


def _is_output(model: FlatModel, tensor: int) -> bool:
    """Return whether a tensor is an output of the model."""
    return tensor in [int(t) for t in model.graph.outputs]


def _real_inputs(model: FlatModel, operator: FlatOperator) -> list[int]:
    """Return the float32 tensors that an operator reads, each once."""
    present = {int(t): None for t in operator.inputs if t >= 0}
    return [t for t in present if model.dtype(t) == "float32"]


def _values_of(model: FlatModel, tensor: int) -> Array:
    """Return the values of what is known to be a constant."""
    values = model.constant(tensor)
    assert values is not None  # the caller saw to it
    return values


def _reread(operator: FlatOperator, old: int, new: int) -> None:
    """Make an operator read one tensor in place of another."""
    operator.inputs = [new if int(t) == old else int(t) for t in operator.inputs]


def _take_constant(
    model: FlatModel, operator: FlatOperator, tensor: int, steps: Steps
) -> None:
    """Give an operator an int8 copy of a constant: others may read the float one."""
    values = to_int8(_values_of(model, tensor), steps)
    copy = model.add_constant(f"{model.name(tensor)}/int8", values)
    model.set_quantization(copy, *steps)
    _reread(operator, tensor, copy)


def _take_aligned(
    model: FlatModel, operator: FlatOperator, tensor: int, steps: Steps
) -> None:
    """Put a QUANTIZE between an int8 tensor and one operator that reads it."""
    name = f"{model.name(tensor)}/aligned"
    aligned = model.add_tensor(name, model.shape(tensor), "int8")
    model.set_quantization(aligned, *steps)
    place = model.graph.operators.index(operator)
    made = model.operator("QUANTIZE", [tensor], [aligned])
    model.graph.operators.insert(place, made)
    _reread(operator, tensor, aligned)


def _drop_conversions(model: FlatModel) -> None:
    """Take out each QUANTIZE that changes nothing, then what no one reads any more."""
    for operator in list(model.graph.operators):
        if model.kind(operator) not in ("QUANTIZE", "DEQUANTIZE"):
            continue
        source, result = int(operator.inputs[0]), int(operator.outputs[0])
        if _is_same(model, source, result):
            for reader in model.consumers(result):
                _reread(reader, result, source)
            if _is_output(model, result):
                model.set_output(source)
        if not model.consumers(result) and not _is_output(model, result):
            model.graph.operators.remove(operator)


def _is_same(model: FlatModel, first: int, second: int) -> bool:
    alike = model.dtype(first) == model.dtype(second)
    return alike and model.quantization(first) == model.quantization(second)
