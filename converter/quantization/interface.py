"""The input and output of a quantized model in the type that a camera app wants.

The graph inside computes in int8. ``uint8`` and ``float32`` are put around it by one
QUANTIZE at the front and one QUANTIZE or DEQUANTIZE at the end, as TensorFlow Lite's
own converter does; class ids stay int32.
"""

from __future__ import annotations

from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.devices import ConversionError

INTERFACES = ("int8", "uint8", "float32")


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
