"""A TFLite network as plain files that any framework can build it from again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from edgeseg.converter.loading.tflite.call import ACTIVATIONS
from edgeseg.converter.loading.tflite.rewriting import PADS, rewrite
from edgeseg.converter.loading.tflite.source import read_source
from edgeseg.devices import ConversionError

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.converter.loading.tflite.source import TFLiteSource
    from edgeseg.devices.placement.graph import Operator
    from edgeseg.devices.types import Json, Untyped

# What the converter of the IMX500 takes, of what segmentation networks are made of
_OPERATORS = (
    "ADD",
    "AVERAGE_POOL_2D",
    "CONCATENATION",
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "MAX_POOL_2D",
    "MEAN",
    "RELU",
    "RELU6",
    "RESIZE_BILINEAR",
)
_ADVICE = "take a network whose --head is logits-stride, of DeepLab's operators"


def write_network(model: Path, folder: Path) -> tuple[str, ...]:
    """Write ``network.json`` and ``weights.npz`` of a float model.

    ``network.json`` has ``input`` and ``output`` (numbers of tensors), ``shape`` of the
    input, and ``operators``, each with ``name``, ``kind`` and ``options`` as in the
    schema of TensorFlow Lite, ``inputs``, ``output``, ``shape`` of that, ``pads`` (rows
    and columns of zeros in front, or None) and ``activation`` (None, relu or relu6).

    Parameters
    ----------
    model : Path
        A float ``.tflite`` file.
    folder : Path
        Gets both files.

    Returns
    -------
    tuple of str
        Kinds of the operators, in the order of execution.

    Raises
    ------
    ConversionError
        It is quantized, or has an operator that the chip has not.
    """
    import numpy as np

    source = read_source(model)
    if source.is_quantized:
        raise ConversionError(
            "it is quantized already, and this chip has a quantizer of its own: give "
            "the float network, edgeseg convert MODEL --recipe float32 -o float.tflite"
        )
    rewrite(source)
    if len(source.output_indices) != 1 or len(source.input_indices) != 1:
        raise ConversionError("it has several inputs or outputs: one of each is taken")
    operators = [_described(source, operator) for operator in source.operators]
    reads = {t for operator in source.operators for t in operator.inputs if t >= 0}
    known = sorted(reads & {*source.constants})
    constants: Untyped = {str(t): source.real(t) for t in known}
    network = {
        "input": source.input_indices[0],
        "output": source.output_indices[0],
        "shape": source.inputs[0].shape,
        "operators": operators,
    }
    (folder / "network.json").write_text(json.dumps(network), "utf-8")
    np.savez(folder / "weights.npz", **constants)
    return tuple(operator.kind for operator in source.operators)


def _described(source: TFLiteSource, operator: Operator) -> Json:
    kind = operator.kind
    if kind not in _OPERATORS:
        raise _refused(operator, f"not one of {', '.join(_OPERATORS)}; {_ADVICE}")
    shape = source.tensor(operator.outputs[0]).shape
    before = source.tensor(operator.inputs[0]).shape
    fused = int(operator.options.get("fusedActivationFunction") or 0)
    activation = kind.lower() if kind in ("RELU", "RELU6") else ACTIVATIONS.get(fused)
    if activation not in (None, "relu", "relu6"):
        raise _refused(operator, f"its activation is {activation}, not ReLU or ReLU6")
    if kind == "ADD" and any(t in source.constants for t in operator.inputs):
        raise _refused(operator, "it adds a constant")
    if kind == "CONCATENATION" and int(operator.options.get("axis") or 0) not in (
        -1,
        3,
    ):
        raise _refused(operator, "it joins something else than channels")
    if kind == "MEAN" and shape[1:3] != (1, 1):
        raise _refused(operator, "it is no mean over the picture")
    if kind == "RESIZE_BILINEAR" and not _is_resizable(operator, before, shape):
        raise _refused(
            operator,
            f"{before[1]}x{before[2]} to {shape[1]}x{shape[2]} with these corners has "
            "no form on the chip: convert with --head logits-stride and another --size",
        )
    return {
        "name": f"{kind.lower()}_{operator.index}",
        "kind": kind,
        "options": {
            name: value
            for name, value in operator.options.items()
            if isinstance(value, (bool, int, float))
        },
        "inputs": [int(t) for t in operator.inputs],
        "output": operator.outputs[0],
        "shape": shape,
        "pads": operator.options.get(PADS),
        "activation": activation,
    }


def _is_resizable(
    operator: Operator, before: tuple[int, ...], after: tuple[int, ...]
) -> bool:
    """Return whether a resize is from one cell, half-pixel, or by whole steps."""
    if before[1:3] == (1, 1) or operator.options.get("halfPixelCenters"):
        return True
    if not operator.options.get("alignCorners"):
        return False
    return all(
        was > 1 and (now - 1) % (was - 1) == 0
        for was, now in zip(before[1:3], after[1:3], strict=True)
    )


def _refused(operator: Operator, why: str) -> ConversionError:
    return ConversionError(f"operator {operator.index} {operator.kind}: {why}")
