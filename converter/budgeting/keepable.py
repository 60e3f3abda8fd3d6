"""The operators that a recipe quantizes, and could leave in float."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import ConversionError

if TYPE_CHECKING:
    from edgeseg.converter.frameworks import FlatOperator
    from edgeseg.converter.quantization.flatbuffer import FlatModel


@dataclass(frozen=True)
class KeepableOperator:
    """An operator that can be kept in float.

    Parameters
    ----------
    place : int
        In the float graph.
    name : str
        Of the tensor that it writes.
    operator : str
        Its kind, such as ``CONV_2D``.
    cost : float or None
        Mean squared error of the scores that its quantization alone brings; None
        where it was not measured.
    """

    place: int
    name: str
    operator: str
    cost: float | None = None


def keepable(flat: FlatModel, whole: FlatModel) -> tuple[KeepableOperator, ...]:
    """Return the operators that were quantized, in the graph's order.

    Parameters
    ----------
    flat, whole : FlatModel
        The float model and the all-quantized one that was made of it.

    Raises
    ------
    ConversionError
        There are none.
    """
    twins = {whole.name(int(t)): o for o in whole.graph.operators for t in o.outputs}
    found = []
    for place, operator in enumerate(flat.graph.operators):
        name = flat.name(int(operator.outputs[0]))
        twin = twins.get(name)
        if twin is not None and _differs(flat, operator, whole, twin):
            found.append(KeepableOperator(place, name, flat.kind(operator)))
    if not found:
        raise ConversionError(
            "expected a recipe that quantizes operators, got one that leaves all of "
            "them in float: there is nothing to keep in float, take the recipe int8"
        )
    return tuple(found)


def _differs(
    flat: FlatModel, operator: FlatOperator, whole: FlatModel, twin: FlatOperator
) -> bool:
    """Return whether an operator writes or keeps its weights in another type."""
    if flat.dtype(int(operator.outputs[0])) != whole.dtype(int(twin.outputs[0])):
        return True
    pairs = zip(operator.inputs, twin.inputs, strict=True)
    return any(
        flat.constant(int(first)) is not None
        and (
            whole.constant(int(second)) is None
            or whole.dtype(int(second)) != flat.dtype(int(first))
        )
        for first, second in pairs
    )
