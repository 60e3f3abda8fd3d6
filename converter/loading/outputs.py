"""The one map of scores of a network with several outputs, or with an argmax behind.

Networks that are trained with deep supervision give maps of several depths; the last
of the full size is the result. Some end in the argmax that an application wants: the
scores in front of it hold more, and the head ``labels`` puts one there again.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need, third_party
from edgeseg.devices import InputError, ModelError
from edgeseg.runtime.model.tensors import grid_of

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.converter.frameworks import KerasModel, KerasTensor

OPTION = "--output-name"
# What may stand between an argmax and the output
_AROUND = ("ExpandDims", "Reshape", "Cast", "Squeeze", "Lambda", "Identity")
_ARGMAX = ("Argmax", "ArgMax", "Lambda")


def one_output(
    path: Path, model: KerasModel, wanted: str | None
) -> tuple[KerasModel, tuple[str, ...]]:
    """Return a model with one output of scores, and what was chosen.

    Parameters
    ----------
    path : Path
        The file, for messages.
    model : keras.Model
        Of one or several outputs.
    wanted : str or None
        Name of an output; None takes the last of the full size.

    Raises
    ------
    InputError
        There is no output of that name.
    """
    outputs = list(getattr(model, "outputs", None) or ())
    names = _names(model, outputs)
    if wanted is not None and wanted not in names:
        raise InputError(
            f"{path} has no output {wanted!r} for {OPTION}: choose one of "
            f"{', '.join(names)}"
        )
    notes: tuple[str, ...] = ()
    if len(outputs) > 1:
        place = _last_full(model, outputs) if wanted is None else names.index(wanted)
        others = ", ".join(name for i, name in enumerate(names) if i != place)
        notes = (
            f"takes the output '{names[place]}' of {len(names)}, and leaves out "
            f"{others}; {OPTION} chooses another",
        )
        outputs = [outputs[place]]
    if len(outputs) != 1:
        return model, notes
    scores = _before_argmax(outputs[0])
    if scores is not outputs[0]:
        notes = (*notes, "takes the scores in front of the network's own argmax")
    if len(model.outputs) == 1 and scores is model.outputs[0]:
        return model, notes
    with third_party():
        return need("keras").Model(model.inputs, scores, name=model.name), notes


def as_map(scores: KerasTensor, size: tuple[int, int]) -> KerasTensor:
    """Return scores ``(1, h, w, C)`` of a list of cells ``(1, h * w[, C])``.

    Parameters
    ----------
    scores : keras.KerasTensor
        A map is returned as it is.
    size : (int, int)
        Of the picture; the cells are those of a grid over it, row by row.

    Raises
    ------
    ModelError
        They are no grid over the picture.
    """
    shape = tuple(scores.shape)
    if len(shape) == 4:
        return scores
    if shape[1:] == size:  # (1, H, W): one score a pixel
        return need("keras").layers.Reshape((*size, 1), name="map")(scores)
    grid = None if shape[1] is None else grid_of(int(shape[1]), size)
    if len(shape) not in (2, 3) or grid is None:
        raise ModelError(
            f"the network's output {list(shape)} is no map over a picture of "
            f"{size[0]}x{size[1]}: expected (1, h, w, classes) or (1, h * w, classes)"
        )
    classes = shape[2] if len(shape) == 3 else 1
    return need("keras").layers.Reshape((*grid, classes), name="map")(scores)


def with_map(model: KerasModel) -> KerasModel:
    """Return a model of fixed size whose output is a map of scores; see `as_map`."""
    if len(model.output.shape) == 4:
        return model
    height, width = model.input.shape[1:3]
    with third_party():
        scores = as_map(model.output, (int(height), int(width)))
        return need("keras").Model(model.inputs, scores, name=model.name)


def _names(model: KerasModel, outputs: list[KerasTensor]) -> list[str]:
    given = list(getattr(model, "output_names", ()) or ())
    if len(given) == len(outputs) and len(set(given)) == len(given):
        return [str(name) for name in given]
    made_by = [tensor._keras_history.operation.name for tensor in outputs]
    same = len(set(made_by)) < len(made_by)
    return [f"{name}:{i}" if same else name for i, name in enumerate(made_by)]


def _last_full(model: KerasModel, outputs: list[KerasTensor]) -> int:
    """Return the place of the last map that is as large as any."""
    sizes = [
        math.prod(side or 0 for side in tensor.shape[1:3])
        if len(tensor.shape) == 4
        else -1
        for tensor in outputs
    ]
    return max(place for place, size in enumerate(sizes) if size == max(sizes))


def _before_argmax(tensor: KerasTensor) -> KerasTensor:
    """Return the scores in front of an argmax, or the tensor itself."""
    if "int" not in str(tensor.dtype):
        return tensor
    current = tensor
    while "int" in str(current.dtype):
        operation = current._keras_history.operation
        kind = type(operation).__name__
        source = getattr(operation, "input", None)
        if kind not in (*_AROUND, *_ARGMAX) or getattr(source, "shape", None) is None:
            return tensor
        current = source
    is_input = type(current._keras_history.operation).__name__ == "InputLayer"
    return tensor if is_input or len(current.shape) != 4 else current
