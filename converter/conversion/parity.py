"""Hold a converted model against the one it came from, on the same pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeseg.devices import ConversionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgeseg.runtime import Segmenter

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
    equal = total = 0
    largest, score_range = 0.0, 0.0
    for frame in frames:
        hw = (frame.shape[0], frame.shape[1])
        outputs = [s.device.infer(s.tensor(frame))[0] for s in (reference, candidate)]
        first, second = (
            s.device.outputs[0].dequantize(output)
            for s, output in zip((reference, candidate), outputs, strict=True)
        )
        if not (np.isfinite(first).all() and np.isfinite(second).all()):
            return Parity(len(frames), 0.0, float("inf"), score_range)
        largest = max(largest, float(np.abs(first - second).max()))
        score_range = max(score_range, float(np.abs(first).max()))
        ids = [
            s.ids_from(output, hw)
            for s, output in zip((reference, candidate), outputs, strict=True)
        ]
        equal += int((ids[0] == ids[1]).sum())
        total += ids[0].size
    return Parity(len(frames), equal / total, largest, score_range)


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
