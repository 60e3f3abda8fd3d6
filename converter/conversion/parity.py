"""Hold a converted model against the one it came from, on the same pictures."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from edgeseg.devices import ConversionError
from edgeseg.runtime.accuracy.counters import ScoreGap, count_flips
from edgeseg.runtime.accuracy.counting import Picture, count_pictures
from edgeseg.runtime.accuracy.counts import Counts
from edgeseg.runtime.accuracy.result import flips_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime import Segmenter
    from edgeseg.runtime.accuracy.counting import Answer

# Keras, float TFLite and ONNX do the same arithmetic in another order: more than
# rounding at a few borders means a wrong graph (failed lowerings were seen at 81 % and
# 59 %).
_LEAST_AGREEMENT = 0.999
_LARGEST_DIFFERENCE = 0.01  # of the largest score


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
    reference: Segmenter, candidate: Segmenter, frames: Sequence[NDArray[np.uint8]]
) -> Parity:
    """Run two models with the same output shape on the same pictures.

    Parameters
    ----------
    reference, candidate : Segmenter
        Open.
    frames : sequence of ndarray
        ``(H, W, 3)`` uint8 RGB pictures.
    """
    gap = ScoreGap()

    def count(picture: Picture, answers: Sequence[Answer]) -> Counts:
        gap.add(*answers)
        return count_flips(picture, answers) if gap.finite else Counts(picture.name)

    pictures = (Picture(str(index), frame) for index, frame in enumerate(frames))
    finite = takewhile(lambda _: gap.finite, pictures)
    counted = count_pictures(finite, [reference, candidate], count)
    if not gap.finite:
        return Parity(len(frames), 0.0, float("inf"), gap.largest_score)
    agreement = flips_of(counted).agreement
    return Parity(len(frames), agreement, gap.largest, gap.largest_score)


def check_parity(
    parity: Parity,
    blame: str = "the float TFLite model does not answer like Keras",
    are_scores: bool = True,
) -> None:
    """Raise unless a float model answers like the one that it was made of.

    Parameters
    ----------
    parity : Parity
        From `compare`.
    blame : str
        How the error begins.
    are_scores : bool
        Whether the outputs are scores; of class ids only their agreement counts.

    Raises
    ------
    ConversionError
        Labels or scores differ by more than rounding explains.
    """
    limit = _LARGEST_DIFFERENCE * parity.score_range
    alike = parity.largest_difference <= limit or not are_scores
    if parity.agreement < _LEAST_AGREEMENT or not alike:
        raise ConversionError(
            f"{blame}: {parity.agreement:.2%} of labels agree (at least "
            f"{_LEAST_AGREEMENT:.1%} expected), scores differ by up to "
            f"{parity.largest_difference:.3g} (at most {limit:.3g} expected)"
        )
