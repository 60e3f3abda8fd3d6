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

from typing import TYPE_CHECKING, Any

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
    widest,
)
from edgeseg.converter.quantization.rewiring import (
    drop_conversions,
    is_dequantize,
    is_output,
    is_quantize,
    real_inputs,
    reread,
    take_aligned,
    take_constant,
    values_of,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from edgeseg.converter.quantization.kernels import Steps

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
    drop_conversions(model)
    return model.to_bytes()


def _turnable(model: FlatModel, ranges: Ranges, kept: Collection[str]) -> list[Any]:
    """Return the operators to turn, in order: the largest set that holds together."""
    makers = model.producers()
    chosen = [
        operator
        for operator in model.graph.operators
        if model.kind(operator) in KERNELS
        and real_inputs(model, operator)
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
    model: FlatModel, operator: Any, makers: Mapping[int, Any], inside: set[int]
) -> bool:
    """Tell whether each float input will be int8 and each constant can be."""
    for tensor in real_inputs(model, operator):
        maker = makers.get(tensor)
        if model.constant(tensor) is not None:
            fed = _can_hold(model, operator, makers, tensor)
        else:
            fed = id(maker) in inside or is_dequantize(model, maker)
        if not fed:
            return False
    return True


def _can_hold(
    model: FlatModel, operator: Any, makers: Mapping[int, Any], tensor: int
) -> bool:
    """Tell whether a float constant of an operator can be given in int8."""
    kind = model.kind(operator)
    if kind == "PRELU":
        return tensor == int(operator.inputs[1])
    if kind not in (*COMMON, *MASKS):
        return False
    others = [int(t) for t in operator.inputs if int(t) != tensor]
    maker = makers.get(others[0]) if others else None
    if maker is None or not is_dequantize(model, maker):
        return False  # its steps are not known yet
    steps = model.quantization(int(maker.inputs[0]))
    return can_compare(kind, values_of(model, tensor), steps)


def _is_drained(
    model: FlatModel, operator: Any, ranges: Ranges, inside: set[int]
) -> bool:
    """Tell whether each output is read as int8 only, in steps that are known."""
    if model.kind(operator) in MASKS:
        return True
    for tensor in map(int, operator.outputs):
        readers = model.consumers(tensor)
        quantizes = [is_quantize(model, reader) for reader in readers]
        known = any(quantizes) or model.name(tensor) in ranges
        alike = all(
            quantize or id(reader) in inside
            for quantize, reader in zip(quantizes, readers, strict=True)
        )
        if not readers or not known or not alike or is_output(model, tensor):
            return False
    return True


def _turn(model: FlatModel, operator: Any, ranges: Ranges) -> None:
    """Make one operator read and write int8."""
    makers = model.producers()
    for tensor in real_inputs(model, operator):
        if tensor in makers:
            reread(operator, tensor, int(makers[tensor].inputs[0]))
    kind = model.kind(operator)
    steps = _steps(model, operator, ranges)
    for tensor in real_inputs(model, operator):
        held = symmetric_steps(values_of(model, tensor)) if kind == "PRELU" else steps
        take_constant(model, operator, tensor, held)
    for tensor in {int(t) for t in operator.inputs} if kind in COMMON else ():
        if model.quantization(tensor) != steps:
            take_aligned(model, operator, tensor, steps)
    for tensor in map(int, operator.outputs) if kind not in MASKS else ():
        model.set_dtype(tensor, "int8")
        model.set_quantization(tensor, *steps)
    if kind in REWRITTEN:
        _rewrite(model, operator)


def _steps(model: FlatModel, operator: Any, ranges: Ranges) -> Steps:
    """Return the steps of an operator's output, or of its constant for a mask."""
    kind, output = model.kind(operator), int(operator.outputs[0])
    if kind in FIXED:
        return FIXED[kind]
    read = next(int(t) for t in operator.inputs if model.dtype(int(t)) == "int8")
    if kind in (*KEPT, *MASKS) or (kind in COMMON and real_inputs(model, operator)):
        return model.quantization(read)
    wanted = [
        model.quantization(int(reader.outputs[0]))
        for reader in model.consumers(output)
        if is_quantize(model, reader)
    ]
    return widest(wanted) if wanted else steps_of(*ranges[model.name(output)])


def _rewrite(model: FlatModel, operator: Any) -> None:
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
