"""The file that a network was read from, run as it is: the network is held against it.

A float ``.tflite`` file must answer like the network that was drawn of its operators.
A quantized one rounds, and cuts off what its ranges do not hold: there the share of
equal labels is reported, and with pictures that have truth both are scored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.converter.conversion.parity import Parity, check_parity
from edgeseg.devices import ModelError
from edgeseg.runtime import Segmenter
from edgeseg.runtime.accuracy.counters import ScoreGap
from edgeseg.runtime.accuracy.counting import Picture, count_pictures
from edgeseg.runtime.accuracy.counts import Counts, joint_counts
from edgeseg.runtime.accuracy.evaluation import evaluate_pair
from edgeseg.runtime.accuracy.result import flips_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.converter.conversion.request import Request, Scoring
    from edgeseg.converter.loading.format import Original
    from edgeseg.devices.types import Json
    from edgeseg.runtime.accuracy.counting import Answer
    from edgeseg.runtime.accuracy.dataset import Dataset

# Under this share of equal labels a quantized file's own rounding is worth a word
_ALIKE = 0.97


@dataclass(frozen=True)
class OriginalFile:
    """What is known of the file that a network was read from.

    Parameters
    ----------
    parity : Parity or None
        The file against the network, in labels at the size of the network's input;
        None where the file cannot be run here.
    exact : bool
        Whether the two compute the same; False for a quantized file.
    note : str or None
        What a user should know of it.
    """

    parity: Parity | None
    exact: bool
    note: str | None = None


def compare_with_original(
    original: Original,
    network: Segmenter,
    request: Request,
    frames: Sequence[NDArray[np.uint8]],
) -> OriginalFile | None:
    """Run the file and the network on the same pictures.

    Parameters
    ----------
    original : Original
        The file.
    network : Segmenter
        Open on what was read from it.
    request : Request
        Says how pictures are fed.
    frames : sequence of ndarray
        ``(H, W, 3)`` uint8 RGB pictures.

    Returns
    -------
    OriginalFile or None
        None where the network takes another size than the file.

    Raises
    ------
    ConversionError
        A float file answers otherwise.
    """
    try:
        opened = Segmenter.open(original.path, overrides=request.overrides)
    except ModelError as error:
        return OriginalFile(
            None, original.exact, f"not compared with the file: {error}"
        )
    with opened:
        if opened.input_hw != network.input_hw:
            return None
        parity, are_scores = _compare(opened, network, frames)
    if original.exact:
        blame = f"the network read from {original.path} does not answer like it"
        check_parity(parity, blame, are_scores)
    return OriginalFile(parity, original.exact, _note(original, parity))


def score_original(
    original: Original,
    result: Segmenter,
    request: Request,
    dataset: Dataset,
    scoring: Scoring,
    progress: Callable[[str], None],
) -> Json | None:
    """Score the file itself and the result on the same pictures.

    Parameters
    ----------
    original : Original
        The file.
    result : Segmenter
        Open on the result.
    request : Request
        Says how pictures are fed.
    dataset : Dataset
        Pictures with truth.
    scoring : Scoring
        Which classes count.
    progress : callable
        Called with a line.

    Returns
    -------
    dict or None
        Both scores and their difference, as `PairedEvaluation` tells them; None where
        the file cannot be run here.
    """
    try:
        opened = Segmenter.open(original.path, overrides=request.overrides)
    except ModelError:
        return None  # `compare_with_original` has said so
    progress(f"scoring {original.path.name} itself on {len(dataset.ids)} pictures")
    with opened:
        paired = evaluate_pair(opened, result, dataset, matching=scoring.matching)
    return paired.to_dict()


def _compare(
    original: Segmenter, network: Segmenter, frames: Sequence[NDArray[np.uint8]]
) -> tuple[Parity, bool]:
    """Return how alike two models are, and whether that is of scores too."""
    shapes = [model.output.shape for model in (original, network)]
    are_scores = shapes[0] == shapes[1] and original.head.kind != "labels"
    gap = ScoreGap()

    def count(picture: Picture, answers: Sequence[Answer]) -> Counts:
        if are_scores:
            gap.add(*answers)
        first, second = (answer.network_ids for answer in answers)
        return Counts(picture.name, flips=joint_counts(first, second))

    pictures = (Picture(str(index), frame) for index, frame in enumerate(frames))
    counted = count_pictures(pictures, [original, network], count)
    agreement = flips_of(counted).agreement
    largest = gap.largest if gap.finite else float("inf")
    return Parity(len(frames), agreement, largest, gap.largest_score), are_scores


def _note(original: Original, parity: Parity) -> str | None:
    if original.exact or parity.agreement >= _ALIKE:
        return None
    return (
        f"the file's own rounding changes {1 - parity.agreement:.1%} of the labels: "
        "--dataset shows which of the two is right more often"
    )
