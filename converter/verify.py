"""Hold a converted model against the one it came from, on the same pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeseg.runtime.pictures import read_picture

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgeseg.runtime import Segmenter


@dataclass(frozen=True)
class Parity:
    """How alike two models answer.

    Parameters
    ----------
    images : int
        Pictures compared.
    agreement : float
        Share of pixels with equal labels, 0..1, at the pictures' own size.
    largest_difference : float
        Largest absolute difference of two scores, in the models' own units.
    score_range : float
        Largest absolute score of the reference, to hold the difference against.
    """

    images: int
    agreement: float
    largest_difference: float
    score_range: float


def compare(
    reference: Segmenter, candidate: Segmenter, pictures: Sequence[Path]
) -> Parity:
    """Run two models with the same output shape on the same pictures.

    Parameters
    ----------
    reference, candidate : Segmenter
        Open.
    pictures : sequence of Path
        Photos.
    """
    equal = total = 0
    largest, score_range = 0.0, 0.0
    for path in pictures:
        frame = read_picture(path)
        hw = (frame.shape[0], frame.shape[1])
        outputs = [s.device.infer(s.tensor(frame))[0] for s in (reference, candidate)]
        first, second = (
            s.device.outputs[0].dequantize(output)
            for s, output in zip((reference, candidate), outputs, strict=True)
        )
        if not (np.isfinite(first).all() and np.isfinite(second).all()):
            return Parity(len(pictures), 0.0, float("inf"), score_range)
        largest = max(largest, float(np.abs(first - second).max()))
        score_range = max(score_range, float(np.abs(first).max()))
        ids = [
            s.ids_from(output, hw)
            for s, output in zip((reference, candidate), outputs, strict=True)
        ]
        equal += int((ids[0] == ids[1]).sum())
        total += ids[0].size
    return Parity(len(pictures), equal / total, largest, score_range)
