"""Scores given back the type that they have where everything is quantized."""

from __future__ import annotations

from edgeseg.converter.quantization.flatbuffer import FlatModel


def with_output_of(content: bytes, whole: bytes) -> bytes:
    """Return a model whose scores are stored as another's.

    An operator kept in float at the end leaves float scores, although an int8 model
    was asked for: one QUANTIZE with the other's scale and zero point mends that.

    Parameters
    ----------
    content : bytes
        TFLite model; it stays as it is where the types are the same.
    whole : bytes
        The all-quantized model of the same float model.
    """
    flat, other = FlatModel(content), FlatModel(whole)
    inner, wanted = int(flat.graph.outputs[0]), int(other.graph.outputs[0])
    dtype = other.dtype(wanted)
    if flat.dtype(inner) == dtype or flat.dtype(inner) != "float32":
        return content
    outer = flat.add_tensor(f"{flat.name(inner)}/{dtype}", flat.shape(inner), dtype)
    flat.set_quantization(outer, *other.quantization(wanted))
    flat.graph.operators.append(flat.operator("QUANTIZE", [inner], [outer]))
    flat.set_output(outer)
    return flat.to_bytes()
