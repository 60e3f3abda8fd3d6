"""Which tensors of a model are the picture and its scores, and how each is laid out.

A picture has one colour (grey), three, or four: RGB and the mask of the frame before,
which networks for video calls take against flicker. Scores are a map ``(1, h, w, C)``
or ``(1, C, h, w)``, class ids are ``(1, h, w)``. Both may be a list of cells, row by
row: ``(1, h * w, C)``, ``(1, C, h * w)`` or ``(1, h * w)``. A list is read as the grid
over the input that has so many cells.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, NamedTuple

from edgeseg.devices import InputError, ModelError
from edgeseg.runtime.model.head import head_of

if TYPE_CHECKING:
    from edgeseg.devices import TensorSpec

COLOURS = (1, 3, 4)  # grey; RGB; RGB and the mask of the frame before
_INPUT_TYPES = ("uint8", "int8", "int16", "float32", "float16")
_STRIDES = range(1, 65)
_INTEGERS = ("uint8", "int8", "int16", "int32", "int64")


class ScoreOutput(NamedTuple):
    """The output that is read.

    ``place`` counts outputs from 0. ``spec`` has the shape of a map, which the tensor
    is to be given before it is read.
    """

    place: int
    spec: TensorSpec


def is_nchw(shape: tuple[int, ...]) -> bool:
    """Return whether a picture's shape has its channels before rows and columns."""
    return shape[1] in COLOURS and shape[3] not in COLOURS


def input_hw_of(spec: TensorSpec) -> tuple[int, int]:
    """Return height and width of a picture's tensor."""
    shape = spec.shape
    return (shape[2], shape[3]) if is_nchw(shape) else (shape[1], shape[2])


def colours_of(spec: TensorSpec) -> int:
    """Return the channels of a picture's tensor."""
    return spec.shape[1 if is_nchw(spec.shape) else 3]


def image_input(inputs: tuple[TensorSpec, ...]) -> TensorSpec:
    """Return the input; raise `ModelError` unless it is one that takes a picture."""
    shapes = [f"{spec.dtype} {list(spec.shape)}" for spec in inputs]
    spec = inputs[0] if len(inputs) == 1 else None
    if (
        spec is None
        or len(spec.shape) != 4
        or spec.shape[0] != 1
        or not {spec.shape[1], spec.shape[3]} & {*COLOURS}
        or spec.dtype not in _INPUT_TYPES
    ):
        raise ModelError(
            "no segmentation model: expected one input of shape (1, H, W, 3), or with "
            f"1 or 4 channels, got {', '.join(shapes) or 'none'}"
        )
    return spec


def scores_output(
    outputs: tuple[TensorSpec, ...],
    input_hw: tuple[int, int],
    name: str | None = None,
    labels: int = 0,
) -> ScoreOutput:
    """Return the output that holds the classes.

    Parameters
    ----------
    outputs : tuple of TensorSpec
        The model's.
    input_hw : (int, int)
        Height and width of its input.
    name : str or None
        Name or number of an output; None takes the largest map, of several the last.
    labels : int
        Number of labels; 0 where unknown.

    Raises
    ------
    InputError
        There is no output of that name.
    ModelError
        None is a map of classes.

    Examples
    --------
    >>> from edgeseg.devices import TensorSpec
    >>> flat = TensorSpec("scores", (1, 50176), "float32")
    >>> scores_output((flat,), (224, 224)).spec.shape
    (1, 224, 224, 1)
    """
    if name is not None:
        index = _index_of(outputs, name)
        spec = as_map(outputs[index], input_hw)
        head_of(spec, labels=labels)
        return ScoreOutput(index, spec)
    found, reason = [], None
    for index, output in enumerate(outputs):
        spec = as_map(output, input_hw)
        try:
            grid = head_of(spec, labels=labels).grid_hw
        except ModelError as error:
            reason = error
        else:
            found.append((math.prod(grid), index, spec))
    if not found:
        if len(outputs) == 1 and reason is not None:
            raise reason
        raise ModelError(
            f"no segmentation model: none of its {len(outputs)} outputs is a map of "
            "classes: "
            + ", ".join(f"{spec.dtype} {list(spec.shape)}" for spec in outputs)
        )
    _, index, spec = max(found, key=lambda entry: entry[:2])
    return ScoreOutput(index, spec)


def as_map(spec: TensorSpec, input_hw: tuple[int, int]) -> TensorSpec:
    """Return an output with the shape of a map; what is none stays as it is.

    Parameters
    ----------
    spec : TensorSpec
        An output.
    input_hw : (int, int)
        Height and width of the model's input.

    Examples
    --------
    >>> from edgeseg.devices import TensorSpec
    >>> as_map(TensorSpec("", (1, 64, 2), "float32"), (32, 32)).shape
    (1, 8, 8, 2)
    """
    shape = _map_shape(spec, input_hw)
    return spec if shape == spec.shape else dataclasses.replace(spec, shape=shape)


def grid_of(cells: int, size: tuple[int, int]) -> tuple[int, int] | None:
    """Return height and width of a grid with so many cells over a picture.

    Examples
    --------
    >>> grid_of(64, (64, 64)), grid_of(17 * 33, (257, 513)), grid_of(63, (64, 64))
    ((8, 8), (17, 33), None)
    """
    for stride in _STRIDES:
        height, width = (math.ceil(side / stride) for side in size)
        if height * width == cells:
            return height, width
    return None


def _index_of(outputs: tuple[TensorSpec, ...], name: str) -> int:
    names = [spec.name for spec in outputs]
    if name in names:
        return names.index(name)
    if name.isdecimal() and int(name) < len(outputs):
        return int(name)
    raise InputError(
        f"the model has no output {name!r}: choose one of "
        + ", ".join(f"{index} ({known})" for index, known in enumerate(names))
    )


def _map_shape(spec: TensorSpec, input_hw: tuple[int, int]) -> tuple[int, ...]:
    shape = spec.shape
    if len(shape) >= 2 and shape[0] != 1 and _is_grid(shape[:2], input_hw):
        shape = (1, *shape)  # without a batch
    # integers without a step are class ids, which have no channels
    ids = spec.dtype in _INTEGERS and not spec.is_quantized
    channels = () if ids else (1,)
    if len(shape) == 2 and shape[0] == 1:
        grid = grid_of(shape[1], input_hw)
        return spec.shape if grid is None else (1, *grid, *channels)
    if len(shape) != 3 or shape[0] != 1:
        return shape if len(shape) == 4 else spec.shape
    if _is_grid(shape[1:], input_hw):
        return (*shape, *channels)
    if (grid := grid_of(shape[1], input_hw)) is not None and not ids:
        return (1, *grid, shape[2])
    if (grid := grid_of(shape[2], input_hw)) is not None and not ids:
        return (1, shape[1], *grid)
    return spec.shape


def _is_grid(sides: tuple[int, ...], input_hw: tuple[int, int]) -> bool:
    """Return whether two sides are those of a grid over the input."""
    return any(
        sides == tuple(math.ceil(side / stride) for side in input_hw)
        for stride in _STRIDES
    )
