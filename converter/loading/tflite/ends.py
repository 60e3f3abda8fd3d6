"""Where a network begins and ends: its picture, and the scores behind its outputs.

A file may end in class ids, in one column of pixels, or in a single class out of two:
the scores that these are made of are what is quantized and compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.converter.loading.tflite.resampling import alignment
from edgeseg.converter.loading.tflite.source import CONVERSIONS
from edgeseg.devices import ModelError
from edgeseg.runtime.model.tensors import is_nchw

if TYPE_CHECKING:
    from edgeseg.converter.loading.tflite.source import TFLiteSource
    from edgeseg.devices.placement.graph import Operator

_FLAT = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
_SLICES = ("SLICE", "STRIDED_SLICE")


@dataclass(frozen=True)
class Scores:
    """The tensor that holds a network's scores.

    Parameters
    ----------
    index : int
        Of the tensor.
    channels_first : bool
        Whether its classes are the second axis.
    notes : tuple of str
        What was left out behind it.
    """

    index: int
    channels_first: bool
    notes: tuple[str, ...] = ()


def find_scores(source: TFLiteSource, output: int) -> Scores:
    """Return the scores behind an output.

    Parameters
    ----------
    source : TFLiteSource
        Rewritten.
    output : int
        Tensor index.

    Raises
    ------
    ModelError
        Nothing computes it.
    """
    index, notes = output, []
    first = is_nchw(source.inputs[0].shape)
    while (maker := source.producer(index)) is not None:
        if maker.kind in ("ARG_MAX", *CONVERSIONS):
            if maker.kind == "ARG_MAX":
                notes.append("the scores before its ARG_MAX are its output now")
                first = _argmax_axis(source, maker) == 1
            index = maker.inputs[0]
        elif maker.kind == "TRANSPOSE" and _order(source, maker) == [0, 3, 1, 2]:
            index, first = maker.inputs[0], False
        elif maker.kind in _FLAT and _is_map(source, maker):
            index = maker.inputs[0]
        elif maker.kind in _SLICES and _takes_second(source, maker):
            notes.append("both classes of its softmax are its output now")
            index = maker.inputs[0]
        else:
            return Scores(index, first, tuple(notes))
    raise ModelError(f"{source.path}: nothing computes its output: it is no network")


def grid_alignment(source: TFLiteSource, scores: Scores) -> str | None:
    """Return how the resize that makes the scores is aligned, None without one."""
    maker = source.producer(scores.index)
    if maker is None or maker.kind != "RESIZE_BILINEAR":
        return None
    return alignment(maker.options)


def _argmax_axis(source: TFLiteSource, operator: Operator) -> int:
    rank = len(source.tensor(operator.inputs[0]).shape)
    axis = source.constants.get(operator.inputs[1])
    if axis is None:
        raise ModelError(f"{source.path}: its ARG_MAX has no fixed axis")
    return int(axis.ravel()[0]) % max(rank, 1)


def _order(source: TFLiteSource, operator: Operator) -> list[int]:
    order = source.constants.get(operator.inputs[1])
    return [] if order is None else [int(axis) for axis in order.ravel()]


def _is_map(source: TFLiteSource, operator: Operator) -> bool:
    """Return whether a reshape at the end flattens a map ``(1, h, w, C)``."""
    before = source.tensor(operator.inputs[0]).shape
    after = source.tensor(operator.outputs[0]).shape
    return len(before) == 4 and before[0] == 1 and len(after) != 4


def _takes_second(source: TFLiteSource, operator: Operator) -> bool:
    """Return whether the second of two classes of a softmax is taken."""
    maker = source.producer(operator.inputs[0])
    before = source.tensor(operator.inputs[0]).shape
    after = source.tensor(operator.outputs[0]).shape
    begin = source.constants.get(operator.inputs[1])
    return (
        maker is not None
        and maker.kind == "SOFTMAX"
        and before[-1:] == (2,)
        and before[:-1] == after[:3]
        and after[3:] in ((), (1,))
        and begin is not None
        and int(begin.ravel()[-1]) == 1
    )
