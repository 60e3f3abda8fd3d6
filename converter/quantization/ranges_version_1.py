"""The first format of ranges files: tensors by name, weights as moves from nearest.

Its ranges belong to a graph that TensorFlow folded. How TensorFlow names a tensor
depends on the processor from the first ``;`` on, so that the part before counts; a
weight that stands between two steps may come out one step off.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edgeseg.converter.quantization.packing import array_of, scales_and_correction
from edgeseg.converter.quantization.ranges import Ranges
from edgeseg.converter.quantization.refine import IntegerWeights, rows_at
from edgeseg.converter.quantization.rounding import LIMIT, nearest_steps

if TYPE_CHECKING:
    from edgeseg.converter.quantization.flatbuffer import FlatModel
    from edgeseg.converter.quantization.origin import Origin
    from edgeseg.converter.quantization.ranges import Range
    from edgeseg.devices.types import Json


def read_version_1(stored: Json, flat: FlatModel, origin: Origin) -> Ranges | None:
    """Return the ranges in a file of version 1; None where its tensors are not ours.

    Parameters
    ----------
    stored : dict
        The file's JSON value.
    flat : FlatModel
        The float model, lowered with ``fold=False``.
    origin : Origin
        Of that model; the file does not say where it comes from.

    Raises
    ------
    ValueError, KeyError, TypeError, IndexError, AttributeError, zlib.error
        It is damaged.
    """
    extremes, central = (_by_name(stored[key], flat) for key in ("extremes", "central"))
    if extremes is None or central is None:
        return None
    return Ranges(
        origin=replace(origin, made_with={}),
        extremes=extremes,
        central=central,
        rounded={
            int(place): _unpack(packed, flat, int(place))
            for place, packed in stored["weights"].items()
        },
        calibration=dict(stored["calibration"]),
    )


def _by_name(stored: Json, flat: FlatModel) -> dict[str, Range] | None:
    """Return ranges by the names of our tensors, None where one is missing here."""
    bounds = {name: (float(low), float(high)) for name, (low, high) in stored.items()}
    written = [int(t) for o in flat.graph.operators for t in o.outputs]
    ours = {flat.name(index) for index in [*map(int, flat.graph.inputs), *written]}
    by_first = {_first(name): name for name in sorted(ours)}
    found = {
        name if name in ours else by_first.get(_first(name)): bound
        for name, bound in bounds.items()
    }
    if None in found or len(found) != len(bounds):
        return None
    return {str(name): bound for name, bound in found.items()}


def _first(name: str) -> str:
    return name.partition(";")[0]


def _unpack(packed: dict[str, str], flat: FlatModel, place: int) -> IntegerWeights:
    import numpy as np

    rows = rows_at(flat, place)
    scales, correction = scales_and_correction(packed, len(rows))
    moved = array_of(packed["moved"], np.int8, rows.shape)
    steps = np.clip(nearest_steps(rows, scales) + moved, -LIMIT, LIMIT)
    return IntegerWeights(scales, steps.astype(np.int8), correction)
