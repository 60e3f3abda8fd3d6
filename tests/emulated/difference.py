"""What two conversions of one model differ in, counted for a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgeseg.converter.quantization.differences import tensor_pairs
from edgeseg.converter.quantization.flatbuffer import FlatModel

if TYPE_CHECKING:
    from numpy.typing import NDArray


def difference(first: bytes, second: bytes) -> dict[str, Any]:
    """Return what differs between two networks, float or int8.

    Parameters
    ----------
    first, second : bytes
        TFLite models; what stands behind the network, such as a manifest, counts only
        for ``bytes_equal``.

    Returns
    -------
    dict
        ``bytes_equal``; ``structure_equal``: kinds of operators, shapes and types;
        where it is: ``tensors`` and, of them, ``names_different`` and
        ``first_names_different`` (up to the first ``;``); ``constants`` by type (see
        `_count`); ``quantized`` tensors and, of them, ``steps_different`` with the
        largest relative difference of a step.
    """
    found: dict[str, Any] = {"bytes_equal": first == second}
    models = FlatModel(first), FlatModel(second)
    used = tensor_pairs(*models)
    found["structure_equal"] = used is not None
    if used is None:
        return found
    pairs = dict(used)
    names = [(models[0].name(a), models[1].name(b)) for a, b in pairs.items()]
    return {
        **found,
        "tensors": len(pairs),
        "names_different": sum(a != b for a, b in names),
        "first_names_different": sum(_first(a) != _first(b) for a, b in names),
        "constants": _constants(models, pairs),
        **_quantized(models, pairs),
    }


def _first(name: str) -> str:
    return name.partition(";")[0]


def _constants(
    models: tuple[FlatModel, FlatModel], pairs: dict[int, int]
) -> dict[str, dict[str, int]]:
    """Return `_count` of the constants of each type."""
    values: dict[str, list[tuple[NDArray[Any], NDArray[Any]]]] = {}
    for a, b in pairs.items():
        held = models[0].constant(a), models[1].constant(b)
        if held[0] is not None and held[1] is not None:
            values.setdefault(models[0].dtype(a), []).append((held[0], held[1]))
    return {dtype: _count(found) for dtype, found in sorted(values.items())}


def _count(found: list[tuple[NDArray[Any], NDArray[Any]]]) -> dict[str, int]:
    """Return tensors, values, how many of each differ, and the most that one does.

    The most is in steps of the type: of floats in units of the last place.
    """
    apart = [np.abs(_places(a) - _places(b)) for a, b in found]
    return {
        "tensors": len(apart),
        "tensors_different": sum(bool(distance.any()) for distance in apart),
        "values": sum(distance.size for distance in apart),
        "values_different": sum(int((distance > 0).sum()) for distance in apart),
        "most": max(int(distance.max(initial=0)) for distance in apart),
    }


def _places(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return whole numbers in the order of the values, one apart for neighbours."""
    if values.dtype != np.float32:
        return values.astype(np.int64)
    bits = values.view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(2**31) - bits, bits)


def _quantized(
    models: tuple[FlatModel, FlatModel], pairs: dict[int, int]
) -> dict[str, Any]:
    quantized, different, most = 0, 0, 0.0
    for a, b in pairs.items():
        first, second = _steps(models[0], a), _steps(models[1], b)
        if first is None or second is None:
            different += (first is None) != (second is None)
            continue
        quantized += 1
        different += not np.array_equal(first, second)
        if first.shape == second.shape:
            apart = np.abs(first[0] / second[0] - 1).max()
            most = max(most, float(apart))
    return {
        "quantized": quantized,
        "steps_different": different,
        "most_relative_difference_of_a_step": most,
    }


def _steps(model: FlatModel, index: int) -> NDArray[np.float64] | None:
    """Return scales and zero points ``(2, C)`` of a tensor, None where it has none."""
    parameters = model.tensor(index).quantization
    if parameters is None or parameters.scale is None or not len(parameters.scale):
        return None
    return np.stack(
        [np.asarray(parameters.scale, float), np.asarray(parameters.zeroPoint, float)]
    )
