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

# Keras and float TFLite do the same arithmetic in another order: more than rounding
# at a few borders means a wrong graph (failed lowerings were seen at 81 % and 59 %).
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


def check_parity(parity: Parity) -> None:
    """Raise unless float TFLite answers like Keras.

    Raises
    ------
    ConversionError
        Labels or scores differ by more than rounding explains.
    """
    limit = _LARGEST_DIFFERENCE * parity.score_range
    if parity.agreement < _LEAST_AGREEMENT or not parity.largest_difference <= limit:
        raise ConversionError(
            "the float TFLite model does not answer like Keras: "
            f"{parity.agreement:.2%} of labels agree (at least {_LEAST_AGREEMENT:.1%} "
            f"expected), scores differ by up to {parity.largest_difference:.3g} "
            f"(at most {limit:.3g} expected)"
        )
