"""Repetitions of cells as the one operator that accelerators know.

Keras' ``UpSampling2D`` without interpolation becomes RESHAPE and TILE, in turns, over
maps of five axes, which an Edge TPU does not take: all that follows stays on the CPU.
RESIZE_NEAREST_NEIGHBOR by whole numbers, without half-pixel centres, makes the very
same map: output cell ``i`` reads input cell ``floor(i / k)``.

A chain of such operators is replaced where moving the cells' numbers through it gives
just that map, whatever made the chain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need
from edgeseg.converter.quantization.flatbuffer import FlatModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.converter.frameworks import FlatOperator

    Cells = NDArray[np.int32]  # numbers of cells, moved in place of values

_MOVERS = ("RESHAPE", "TILE", "BROADCAST_TO", "EXPAND_DIMS", "CONCATENATION")
_LONGEST = 12  # operators of a chain


def join_repeats(content: bytes) -> bytes:
    """Return a float model whose repetitions of cells are single operators.

    Parameters
    ----------
    content : bytes
        A float TFLite model; it is returned itself where nothing is repeated.
    """
    flat = FlatModel(content)
    changed = False
    for operator in list(flat.graph.operators):
        if operator in flat.graph.operators:
            changed |= _join(flat, operator)
    return flat.to_bytes() if changed else content


def _join(flat: FlatModel, last: FlatOperator) -> bool:
    """Replace the longest chain that ends in an operator, if it only repeats."""
    result = int(last.outputs[0])
    chain = _chain(flat, last)
    for start in range(len(chain)):
        source = int(chain[start].inputs[0])
        if _may_repeat(flat.shape(source), flat.shape(result)) and _repeats(
            flat, chain[start:], source
        ):
            _replace(flat, chain[start:], source, result)
            return True
    return False


def _chain(flat: FlatModel, last: FlatOperator) -> list[FlatOperator]:
    """Return the operators that only move cells, up to one, each read by the next."""
    makers = flat.producers()
    chain: list[FlatOperator] = []
    operator: FlatOperator | None = last
    while operator is not None and len(chain) < _LONGEST and _moves(flat, operator):
        chain.insert(0, operator)
        source = int(operator.inputs[0])
        alone = len(flat.consumers(source)) == 1 and source not in flat.graph.outputs
        operator = makers.get(source) if alone else None
    return chain


def _moves(flat: FlatModel, operator: FlatOperator) -> bool:
    kind = flat.kind(operator)
    if kind == "CONCATENATION":  # of a map with itself
        return len(set(map(int, operator.inputs))) == 1
    return kind in _MOVERS


def _may_repeat(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    ends = len(before) == len(after) == 4 and before[::3] == after[::3]
    return (
        ends
        and before != after
        and all(b > 0 and a % b == 0 for b, a in zip(before, after, strict=True))
    )


def _repeats(flat: FlatModel, chain: list[FlatOperator], source: int) -> bool:
    """Move the numbers of cells through a chain, and see where they come out."""
    import numpy as np

    before = flat.shape(source)
    cells = np.arange(np.prod(before), dtype=np.int32).reshape(before)
    moved: Cells | None = cells
    for operator in chain:
        moved = None if moved is None else _moved(flat, operator, moved)
    if moved is None or moved.ndim != len(before):
        return False
    factors = [a // b for a, b in zip(moved.shape, before, strict=True)]
    expected = cells.repeat(factors[1], axis=1).repeat(factors[2], axis=2)
    return bool(np.array_equal(moved, expected))


def _moved(flat: FlatModel, operator: FlatOperator, cells: Cells) -> Cells | None:
    import numpy as np

    kind, shape = flat.kind(operator), flat.shape(int(operator.outputs[0]))
    if kind == "TILE":
        times = flat.constant(int(operator.inputs[1]))
        return None if times is None else np.tile(cells, times)
    if kind == "BROADCAST_TO":
        return np.broadcast_to(cells, shape)
    if kind == "CONCATENATION":
        axis = operator.builtinOptions.axis
        return np.concatenate([cells] * len(operator.inputs), axis)
    return cells.reshape(shape) if cells.size == np.prod(shape) else None


def _replace(
    flat: FlatModel, chain: list[FlatOperator], source: int, result: int
) -> None:
    import numpy as np

    schema = need("ai_edge_litert.schema_py_generated")
    name = f"{flat.name(result)}/size"
    size = flat.add_constant(name, np.array(flat.shape(result)[1:3], np.int32))
    options = schema.ResizeNearestNeighborOptionsT()
    options.alignCorners = options.halfPixelCenters = False
    made = flat.operator("RESIZE_NEAREST_NEIGHBOR", [source, size], [result], options)
    operators = flat.graph.operators
    operators[operators.index(chain[-1])] = made
    for operator in chain[:-1]:
        operators.remove(operator)
