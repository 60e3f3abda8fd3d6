"""Where int8 begins and ends in a graph, and tensors exchanged there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeseg.converter.quantization.kernels import to_int8

if TYPE_CHECKING:
    from edgeseg.converter.quantization.flatbuffer import FlatModel
    from edgeseg.converter.quantization.kernels import Steps
    from edgeseg.devices.types import Array


def is_quantize(model: FlatModel, operator: Any) -> bool:
    """Tell whether an operator makes int8."""
    made = model.dtype(int(operator.outputs[0]))
    return model.kind(operator) == "QUANTIZE" and made == "int8"


def is_dequantize(model: FlatModel, operator: Any | None) -> bool:
    """Tell whether an operator makes an int8 activation real; weights do not count."""
    if operator is None or model.kind(operator) != "DEQUANTIZE":
        return False
    source = int(operator.inputs[0])
    return model.dtype(source) == "int8" and model.constant(source) is None


def is_output(model: FlatModel, tensor: int) -> bool:
    """Tell whether a tensor is an output of the model."""
    return tensor in [int(t) for t in model.graph.outputs]


def real_inputs(model: FlatModel, operator: Any) -> list[int]:
    """Return the float32 tensors that an operator reads, each once."""
    present = {int(t): None for t in operator.inputs if t >= 0}
    return [t for t in present if model.dtype(t) == "float32"]


def values_of(model: FlatModel, tensor: int) -> Array:
    """Return the values of what is known to be a constant."""
    values = model.constant(tensor)
    assert values is not None  # the caller saw to it
    return values


def reread(operator: Any, old: int, new: int) -> None:
    """Make an operator read one tensor in place of another."""
    operator.inputs = [new if int(t) == old else int(t) for t in operator.inputs]


def take_constant(model: FlatModel, operator: Any, tensor: int, steps: Steps) -> None:
    """Give an operator an int8 copy of a constant: others may read the float one."""
    values = to_int8(values_of(model, tensor), steps)
    copy = model.add_constant(f"{model.name(tensor)}/int8", values)
    model.set_quantization(copy, *steps)
    reread(operator, tensor, copy)


def take_aligned(model: FlatModel, operator: Any, tensor: int, steps: Steps) -> None:
    """Put a QUANTIZE between an int8 tensor and one operator that reads it."""
    name = f"{model.name(tensor)}/aligned"
    aligned = model.add_tensor(name, model.shape(tensor), "int8")
    model.set_quantization(aligned, *steps)
    place = model.graph.operators.index(operator)
    made = model.operator("QUANTIZE", [tensor], [aligned])
    model.graph.operators.insert(place, made)
    reread(operator, tensor, aligned)


def drop_conversions(model: FlatModel) -> None:
    """Take out each QUANTIZE that changes nothing, then what no one reads any more."""
    for operator in list(model.graph.operators):
        if model.kind(operator) not in ("QUANTIZE", "DEQUANTIZE"):
            continue
        source, result = int(operator.inputs[0]), int(operator.outputs[0])
        if _is_same(model, source, result):
            for reader in model.consumers(result):
                reread(reader, result, source)
            if is_output(model, result):
                model.set_output(source)
        if not model.consumers(result) and not is_output(model, result):
            model.graph.operators.remove(operator)


def _is_same(model: FlatModel, first: int, second: int) -> bool:
    alike = model.dtype(first) == model.dtype(second)
    return alike and model.quantization(first) == model.quantization(second)
