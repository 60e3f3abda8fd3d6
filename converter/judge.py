"""Float and result on the same pictures with truth, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.converter.subjects import spread
from edgeseg.runtime.evaluation import evaluate_pair
from edgeseg.runtime.pictures import read_picture

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from edgeseg.converter.budget import Budget
    from edgeseg.converter.finish import Finish
    from edgeseg.converter.quantize import Quantization
    from edgeseg.converter.request import Scoring
    from edgeseg.runtime import Segmenter
    from edgeseg.runtime.datasets import Dataset
    from edgeseg.runtime.paired import PairedEvaluation

# Pictures on which the cost of single operators is measured
_SENSITIVITY_PICTURES = 8
_EVERY = 50  # pictures between two lines of progress


@dataclass(frozen=True)
class Verdict:
    """What was chosen, and why.

    Parameters
    ----------
    content : bytes
        The quantized scores to go on with.
    paired : PairedEvaluation or None
        Float against it; None where there were no pictures with truth.
    budget : Budget or None
        How the search went; None where none was needed.
    """

    content: bytes
    paired: PairedEvaluation | None = None
    budget: Budget | None = None


def judge(
    quantization: Quantization,
    reference: Segmenter,
    finish: Finish,
    dataset: Dataset | None,
    scoring: Scoring | None,
    tell: Callable[[str], None],
) -> Verdict:
    """Quantize, score, and search for operators to keep in float where it loses more.

    Parameters
    ----------
    quantization : Quantization
        Makes the models.
    reference : Segmenter
        The float TFLite model.
    finish : Finish
        Opens what was made.
    dataset, scoring
        Pictures with truth and how to score on them; None scores nothing.
    tell : callable
        Called with a line for each step.
    """
    tell(f"quantizing: {quantization.recipe.about}")
    content = quantization.make()
    if dataset is None or scoring is None:
        return Verdict(content)
    paired = _score(reference, content, finish, dataset, scoring, tell)
    allowed = None if scoring.max_drop is None else scoring.max_drop / 100
    if allowed is None or paired.drop.difference <= allowed:
        return Verdict(content, paired)
    tell(
        f"mIoU falls by {100 * paired.drop.difference:.2f} points, over the budget of "
        f"{scoring.max_drop:g}: looking for the operators that cost most"
    )
    from edgeseg.converter.budget import search_budget

    budget = search_budget(
        quantization,
        reference=reference,
        open_result=finish.open_quantized,
        dataset=dataset,
        classes=scoring.classes,
        merge_others=scoring.merge_others,
        max_drop=allowed,
        tensors=_tensors(reference, dataset),
        progress=tell,
    )
    if not budget.met or budget.content is None:
        return Verdict(content, paired, budget)
    paired = _score(reference, budget.content, finish, dataset, scoring, tell)
    return Verdict(budget.content, paired, budget)


def _score(
    reference: Segmenter,
    content: bytes,
    finish: Finish,
    dataset: Dataset,
    scoring: Scoring,
    tell: Callable[[str], None],
) -> PairedEvaluation:
    tell(f"scoring float and result on {len(dataset.ids)} pictures")
    with finish.open_quantized(content) as candidate:
        return evaluate_pair(
            reference,
            candidate,
            dataset,
            classes=scoring.classes,
            merge_others=scoring.merge_others,
            progress=lambda done, total: (
                tell(f"scored {done} of {total}") if done % _EVERY == 0 else None
            ),
        )


def _tensors(reference: Segmenter, dataset: Dataset) -> list[NDArray[object]]:
    names = spread(dataset.ids[::2], _SENSITIVITY_PICTURES)  # of the half to search on
    return [reference.tensor(read_picture(dataset.picture_path(n))) for n in names]
