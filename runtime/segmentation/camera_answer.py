"""Scores that a network in the camera gave, read like the model's own."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NamedTuple

from edgeseg.devices import InputError

if TYPE_CHECKING:
    from edgeseg.devices import TensorSpec
    from edgeseg.devices.types import Array
    from edgeseg.runtime.model.head import Head


class Answered(NamedTuple):
    """Scores, and how they are stored."""

    scores: Array
    spec: TensorSpec


def answered(answer: Array, output: TensorSpec, head: Head) -> Answered:
    """Return a camera's scores in the form of a model's output.

    Parameters
    ----------
    answer : ndarray
        Real scores, ``(1, h, w, C)``.
    output : TensorSpec
        The output of the model that says what they mean.
    head : Head
        Of that model.

    Raises
    ------
    InputError
        They are not of the form of that output: another network's.
    """
    import numpy as np

    if head.kind == "labels":
        raise InputError(
            "the camera's network gives scores, the model class ids: take the model "
            "that the network was compiled from"
        )
    shape = output.shape
    if head.channel_axis == 1:
        shape = (shape[0], *shape[2:], shape[1])
    if answer.shape != shape or answer.dtype.kind != "f":
        raise InputError(
            f"the camera's network answers {answer.dtype} {list(answer.shape)}, the "
            f"model float scores {list(shape)}: take the model that the network was "
            "compiled from"
        )
    if head.channel_axis == 1:
        answer = answer.transpose(0, 3, 1, 2)
    scores = np.ascontiguousarray(answer, np.float32)
    return Answered(
        scores,
        dataclasses.replace(output, dtype="float32", scale=0.0, zero_point=0),
    )
