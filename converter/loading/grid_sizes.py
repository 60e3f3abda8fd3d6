"""Sizes inside a network, followed from the input it was drawn for to another.

A map of a network is a grid over its input: ``ceil(H / stride)`` cells a side, since
layers halve and round up. A layer that carries such a number gets the one of the same
stride on the new input.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgeseg.devices import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from typing_extensions import Self

    from edgeseg.converter.frameworks import KerasLayer, KerasModel, KerasTensor
    from edgeseg.devices.types import Json

_RESHAPES = ("Reshape", "BroadcastTo")
# Layers that may hold a weight for each place of the map
_FITTED = ("PReLU", "LayerNormalization")


@dataclass(frozen=True)
class SizeChange:
    """The input size that a network was drawn for, and the one it shall take.

    Parameters
    ----------
    old : tuple of int or None
        Height and width; None where the network takes any.
    new : (int, int)
        Height and width.
    stride : int
        Pixels of the input a cell of the network's coarsest map stands for.
    corners : bool
        The network aligns corners, and its old size does so on every grid.
    """

    old: tuple[int | None, ...]
    new: tuple[int, int]
    stride: int = 1
    corners: bool = field(default=False)

    @classmethod
    def of(cls, model: KerasModel, new: tuple[int, int]) -> Self:
        """Return the sizes of a Keras model."""
        old = tuple(model.inputs[0].shape[1:3])
        layers = list(_layers(model))
        stride = _coarsest(layers, old)
        corners = (
            any(getattr(layer, "align_corners", False) for layer in layers)
            and None not in old
            and all((side - 1) % stride == 0 for side in old)
        )
        return cls(old, new, stride, corners)

    @property
    def unchanged(self) -> bool:
        """Whether the network keeps its size, or had none."""
        return None in self.old or tuple(self.old) == self.new

    @property
    def old_text(self) -> str:
        """The old size as a user would write it."""
        return "x".join(map(str, self.old))

    @property
    def new_text(self) -> str:
        """The new size as a user would write it."""
        return "x".join(map(str, self.new))

    def check_corners(self) -> None:
        """Raise `InputError` where corners were aligned and would not be any more."""
        if self.corners and any((side - 1) % self.stride for side in self.new):
            raise self.broken_stride("the network aligns the corners of its grids")

    def check_output(self, old: Sequence[int], new: Sequence[int]) -> None:
        """Raise `InputError` unless the output grid has the stride that it had."""
        if self.unchanged:
            return
        expected = [self.scaled(old[1 + axis], axis, "the output") for axis in (0, 1)]
        if list(new[1:3]) != expected:
            raise self.broken_stride(
                f"the output would be {new[1]}x{new[2]} where {expected[0]}x"
                f"{expected[1]} belongs"
            )

    def fitted(self, layer: KerasLayer, args: tuple[KerasTensor, ...]) -> KerasLayer:
        """Return a layer, or one like it with the sizes of the new input.

        Parameters
        ----------
        layer : keras.layers.Layer or keras.Operation
            Of the old graph.
        args : tuple
            What the new graph gives it.
        """
        if self.unchanged:
            return layer
        kind = type(layer).__name__
        if kind in _RESHAPES or (kind in _FITTED and _is_spatial(layer)):
            self._check_same(layer, args)
            return layer
        change = self._change(kind, layer, args)
        if not change:
            return layer
        return type(layer).from_config({**layer.get_config(), **change})

    def scaled(self, cells: int, axis: int, where: str) -> int:
        """Return the cells of a grid's side on the new input.

        Raises
        ------
        InputError
            It is no grid over the old input.
        """
        old, new = self.old[axis], self.new[axis]
        if old is None or cells == 1:
            return cells
        if cells == old:
            return new
        stride = _stride(old, cells)
        if stride is None:
            raise InputError(
                f"{where} has a side of {cells}, which is no grid over the input size "
                f"{self.old_text}: only that input size can be used"
            )
        return math.ceil(new / stride)

    def broken_stride(self, what: str) -> InputError:
        """Return the error for a size that does not fit, with two that do."""
        below, above = (
            "x".join(str(self._near(axis, up)) for axis in (0, 1)) for up in (0, 1)
        )
        return InputError(
            f"the input size {self.new_text} breaks the network's stride of "
            f"{self.stride} ({what}): choose --size {below} or {above}"
        )

    def _near(self, axis: int, up: int) -> int:
        """Return the next side of the old one's remainder, below or above."""
        old, new = self.old[axis] or 0, self.new[axis]
        over = (new - old) % self.stride
        if over == 0:
            return new
        side = new - over + up * self.stride
        return side if side > 1 else side + self.stride

    def _change(
        self, kind: str, layer: KerasLayer, args: tuple[KerasTensor, ...]
    ) -> Json:
        where = f"layer '{layer.name}' ({kind})"
        if kind in ("Resizing", "BilinearResize", "CenterCrop"):
            config = layer.get_config()
            return {
                key: self.scaled(config[key], axis, where)
                for axis, key in enumerate(("height", "width"))
            }
        if kind == "Resize":
            return {"size": tuple(self._both(layer.get_config()["size"], where))}
        was, now = _hw(getattr(layer, "input", None)), _hw(args[0] if args else None)
        if kind in ("AveragePooling2D", "MaxPooling2D"):
            return _pooling(layer, was, now)
        if kind == "UpSampling2D" and was == (1, 1):
            return {"size": tuple(self._both(layer.size, where))}
        return {}

    def _both(self, size: Sequence[int], where: str) -> list[int]:
        return [self.scaled(int(side), axis, where) for axis, side in enumerate(size)]

    def _check_same(self, layer: KerasLayer, args: tuple[KerasTensor, ...]) -> None:
        was = tuple(layer.input.shape[1:])
        if tuple(args[0].shape[1:]) != was:
            raise InputError(
                f"layer '{layer.name}' ({type(layer).__name__}) has a shape of the "
                f"input size {self.old_text} built in: only that size can be used"
            )


def _pooling(
    layer: KerasLayer, was: tuple[int, ...] | None, now: tuple[int, ...] | None
) -> Json:
    """Return what makes a pooling over the whole map one over the new map."""
    if was is None or tuple(layer.pool_size) != was or now is None:
        return {}
    strides = {"strides": now} if tuple(layer.strides) == was else {}
    return {"pool_size": now, **strides}


def _is_spatial(layer: KerasLayer) -> bool:
    return any(
        len(weight.shape) == 3 and tuple(weight.shape[:2]) != (1, 1)
        for weight in layer.weights
    )


def _hw(tensor: KerasTensor) -> tuple[int, ...] | None:
    shape = getattr(tensor, "shape", ())
    return tuple(shape[1:3]) if len(shape) == 4 else None


def _layers(model: KerasModel) -> Iterator[KerasLayer]:
    for layer in getattr(model, "operations", None) or getattr(model, "layers", []):
        if getattr(layer, "layers", None):
            yield from _layers(layer)
        else:
            yield layer


def _coarsest(layers: list[KerasLayer], old: tuple[int | None, ...]) -> int:
    """Return the largest stride of any map over the input; pooled points are none."""
    strides = [1]
    for layer in layers:
        hw = _hw(_output(layer))
        if None in old or hw is None or None in hw or hw == (1, 1):
            continue
        found = (_stride(side, cells) for side, cells in zip(old, hw, strict=True))  # type: ignore[arg-type]
        strides += [stride for stride in found if stride and _is_power(stride)]
    return max(strides)


def _output(layer: KerasLayer) -> KerasTensor:
    try:
        return layer.output
    except (AttributeError, ValueError):
        return None


def _stride(side: int, cells: int) -> int | None:
    """Return the stride of a grid, a power of two before others.

    In as many steps as the side has bits: a file may name any number.
    """
    powers = (1 << bits for bits in range(side.bit_length()))
    least = -(-side // cells) if cells > 0 else 0  # no smaller one gives so few
    found = [s for s in (*powers, least) if s > 0 and -(-side // s) == cells]
    return found[0] if found else None


def _is_power(number: int) -> bool:
    return number & (number - 1) == 0
