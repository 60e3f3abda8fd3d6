"""Operators that TensorFlow Lite computes in int8 though the quantizer does not.

Each kernel has its own demand on the steps (scale and zero point) of its tensors:

own
    The output has steps of its own; the kernel rescales.
kept
    The output has the input's steps: values are moved, dropped or repeated, not made.
common
    All inputs and the output have the same steps: integers are compared as they are.
fixed
    The output has the steps that the specification writes down.
masks
    The output is bool and has no steps.

References
----------
TensorFlow Lite 8-bit quantization specification,
https://ai.google.dev/edge/litert/models/quantization_spec
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgeseg.converter.quantization.flatbuffer import FlatModel
    from edgeseg.devices.types import Array

Steps = tuple[float, int]

RELUS = ("PRELU", "LEAKY_RELU", "ELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1")
# Written as other operators: the int8 NEG ignores zero points, SQUARE has no int8
REWRITTEN = ("NEG", "SQUARE")
OWN = (*RELUS, *REWRITTEN, "ABS", "EXP", "LOG")
BLOCKS = ("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND", "SPACE_TO_DEPTH", "DEPTH_TO_SPACE")
KEPT = (
    *BLOCKS,
    "TILE",
    "SQUEEZE",
    "EXPAND_DIMS",
    "REVERSE_V2",
    "REDUCE_MAX",
    "SPLIT_V",
)
COMMON = ("MINIMUM", "MAXIMUM")
FIXED: Mapping[str, Steps] = {
    "LOG_SOFTMAX": (16 / 256, 127),
    "L2_NORMALIZATION": (1 / 128, 0),
}
MASKS = ("GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL")
KERNELS = frozenset((*OWN, *KEPT, *COMMON, *FIXED, *MASKS))

# What the quantizer itself gives its input's steps
_POOLS = (
    "MAX_POOL_2D",
    "AVERAGE_POOL_2D",
    "RESIZE_BILINEAR",
    "RESIZE_NEAREST_NEIGHBOR",
)
_SHAPERS = ("RESHAPE", "TRANSPOSE", "SLICE", "STRIDED_SLICE", "SPLIT", "UNPACK", "PAD")
_LOOKUPS = ("MIRROR_PAD", "GATHER", "GATHER_ND", "BROADCAST_TO", "REDUCE_MIN")
_TIED = frozenset((*KEPT, *_POOLS, *_SHAPERS, *_LOOKUPS))

_LOWEST, _HIGHEST = -128, 127
_TOLERANCE = 1e-4  # of a step: what float32 scales are off
_SMALLEST = 1e-9  # scale of a tensor that is always zero


def tie_ranges(
    flat: FlatModel, ranges: Mapping[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """Return ranges where an operator that makes no new values has its input's.

    Measured, a repeated or pooled map's range differs a little from what it was made
    of: the steps differ then, and int8 values are rounded a second time.

    Parameters
    ----------
    flat : FlatModel
        The float model.
    ranges : mapping of str to (float, float)
        Lowest and highest value of its tensors, by name.
    """
    tied = dict(ranges)
    for operator in flat.graph.operators:
        if flat.kind(operator) not in _TIED:
            continue
        sources = [flat.name(int(t)) for t in operator.inputs if t >= 0]
        known = [name for name in sources if name in tied]
        for tensor in operator.outputs:
            if known and flat.name(int(tensor)) in tied:
                tied[flat.name(int(tensor))] = tied[known[0]]
    return tied


def steps_of(low: float, high: float) -> Steps:
    """Return scale and zero point that cover a range and hold 0 exactly.

    Examples
    --------
    >>> steps_of(-64.0, 63.5)
    (0.5, 0)
    """
    low, high = min(low, 0.0), max(high, 0.0)
    scale = max((high - low) / (_HIGHEST - _LOWEST), _SMALLEST)
    return scale, round(_LOWEST - low / scale)


def widest(choices: Sequence[Steps]) -> Steps:
    """Return the steps among several that hold all their ranges, else steps that do.

    Examples
    --------
    >>> widest([(0.5, 0), (0.25, 3)])
    (0.5, 0)
    >>> widest([(1.0, -128), (1.0, 127)])
    (2.0, 0)
    """
    ends = [[s * (end - z) for end in (_LOWEST, _HIGHEST)] for s, z in choices]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    if [low, high] in ends:
        return choices[ends.index([low, high])]
    return steps_of(low, high)


def symmetric_steps(values: Array) -> Steps:
    """Return the steps, zero point 0, that hold a constant's largest value."""
    import numpy as np

    return max(float(np.abs(values).max()) / _HIGHEST, _SMALLEST), 0


def to_int8(values: Array, steps: Steps) -> Array:
    """Return real values as int8, those outside of the steps' range at its ends."""
    import numpy as np

    scale, zero_point = steps
    whole = np.rint(values.astype(np.float64) / scale) + zero_point
    held: Array = np.clip(whole, _LOWEST, _HIGHEST).astype(np.int8)
    return held


def can_compare(kind: str, constant: Array, steps: Steps) -> bool:
    """Return whether comparing with a constant means the same when it is in some steps.

    A minimum or maximum is then at most half a step off; a constant beyond the range
    is harmless where it never wins. A mask must not flip: its constant has to be one
    of the steps.

    Examples
    --------
    >>> import numpy as np
    >>> six = np.array(6.0)
    >>> [can_compare(k, six, (0.01, 0)) for k in ("MINIMUM", "MAXIMUM", "GREATER")]
    [True, False, False]
    """
    import numpy as np

    scale, zero_point = steps
    places = constant.astype(np.float64) / scale + zero_point
    above, below = places.min() >= _LOWEST, places.max() <= _HIGHEST
    if kind in COMMON:
        return bool(above if kind == "MINIMUM" else below)
    on_steps = np.abs(places - np.rint(places)).max() < _TOLERANCE
    return bool(above and below and on_steps)
