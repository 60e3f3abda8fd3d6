"""How an Ethos-U resizes maps: the factors that each of the chips takes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeseg.devices.placement.graph import ModelGraph, Operator

_U65 = (2, 4, 8)
_U85, _U85_CORNERS = 1024, 2048


def resize_65(graph: ModelGraph, op: Operator) -> str:
    """Refuse other factors than 2, 4 and 8; bilinear by half pixels takes 2 alone."""
    before, after = graph.read(op)[0].shape, graph.written(op)[0].shape
    half = bool(op.options.get("halfPixelCenters")) and op.kind == "RESIZE_BILINEAR"
    if before[1:3] == (1, 1) or (before == after and not half):
        return ""
    rows, columns = factors(graph, op, math.inf)
    if rows != columns and half:
        return f"it enlarges by {rows:.4g} rows and {columns:.4g} columns, expected 2"
    if rows != columns and not (
        (after[1] == 1 and before[1] == 1) or (after[2] == 1 and before[2] == 1)
    ):
        return f"it enlarges by {rows:.4g} rows and {columns:.4g} columns: expected one"
    factor = columns if after[1] == 1 else rows
    taken = (2,) if half else _U65
    if factor in taken:
        return ""
    by = " by the centres of cells" if half else ""
    return f"it enlarges{by} by {factor:.4g}, expected {' or '.join(map(str, taken))}"


def resize_85(graph: ModelGraph, op: Operator) -> str:
    """Refuse factors that are no powers of two (bilinear), or very large."""
    before, after = graph.read(op)[0].shape, graph.written(op)[0].shape
    if before[1:3] == (1, 1) or before == after:
        return ""
    corners = bool(op.options.get("alignCorners"))
    if corners and op.options.get("halfPixelCenters"):
        return "it aligns both corners and centres of cells"
    most = _U85_CORNERS if corners else _U85
    for factor in factors(graph, op, None):
        if factor > most:
            return f"it enlarges by {factor:.4g}, over {most}"
        if op.kind == "RESIZE_BILINEAR" and not _is_power_of_two(factor):
            return f"it enlarges by {factor:.4g}, expected a power of two"
    return ""


def factors(
    graph: ModelGraph, op: Operator, of_one: float | None
) -> tuple[float, float]:
    """Return by how much rows and columns are enlarged, as the option counts them.

    Parameters
    ----------
    graph, op : ModelGraph, Operator
        The operator that resizes.
    of_one : float or None
        For a side of one cell whose corners are aligned, which has no steps to count;
        None counts its cells.
    """
    corners = bool(op.options.get("alignCorners"))
    before, after = graph.read(op)[0].shape, graph.written(op)[0].shape
    found = []
    for axis in (1, 2):
        if not corners or (before[axis] == 1 and of_one is None):
            found.append(after[axis] / before[axis])
        elif before[axis] == 1:
            found.append(1.0 if after[axis] == 1 else float(of_one or 1))
        else:
            found.append((after[axis] - 1) / (before[axis] - 1))
    return found[0], found[1]


def _is_power_of_two(factor: float) -> bool:
    return (
        factor >= 1 and factor == int(factor) and int(factor) & (int(factor) - 1) == 0
    )
