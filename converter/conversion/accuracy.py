"""Float and result on the same pictures with truth, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.converter.budgeting.budget import search_budget
from edgeseg.converter.budgeting.candidates import invoke_ms
from edgeseg.converter.budgeting.result import Budget, SearchPoint, lost
from edgeseg.runtime.accuracy.evaluation import evaluate_pair

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.converter.conversion.packaging import Packaging
    from edgeseg.converter.conversion.pictures import ConversionPictures
    from edgeseg.converter.conversion.request import Scoring
    from edgeseg.converter.quantization.quantize import Quantization
    from edgeseg.runtime import Segmenter
    from edgeseg.runtime.accuracy.dataset import Dataset
    from edgeseg.runtime.accuracy.paired import PairedEvaluation

_EVERY = 50  # pictures between two lines of progress


@dataclass(frozen=True)
class AccuracyVerdict:
    """What was chosen, and why.

    Parameters
    ----------
    content : bytes
        The quantized scores to go on with.
    paired : PairedEvaluation or None
        Float against it; None where there were no pictures with truth.
    budget : Budget or None
        How the accuracy budget was met or missed; None where none was given.
    """

    content: bytes
    paired: PairedEvaluation | None = None
    budget: Budget | None = None


def quantize_and_score(
    quantization: Quantization,
    reference: Segmenter,
    finish: Packaging,
    subjects: ConversionPictures,
    scoring: Scoring | None,
    progress: Callable[[str], None],
) -> AccuracyVerdict:
    """Quantize, score, and search for operators to keep in float where it loses more.

    Parameters
    ----------
    quantization : Quantization
        Makes the models.
    reference : Segmenter
        The float TFLite model.
    finish : Packaging
        Opens what was made.
    subjects : ConversionPictures
        Pictures with truth, and others to rank operators on.
    scoring : Scoring or None
        How to score; None scores nothing.
    progress : callable
        Called with a line for each step.
    """
    progress(f"quantizing: {quantization.recipe.about}")
    content, dataset = quantization.make(), subjects.dataset
    if dataset is None or scoring is None:
        return AccuracyVerdict(content)
    paired = _score(reference, content, finish, dataset, scoring, progress)
    if scoring.max_drop is None:
        return AccuracyVerdict(content, paired)
    allowed = scoring.max_drop / 100
    if paired.drop.difference <= allowed:
        met = _met_at_once(paired, content, finish, dataset, allowed)
        return AccuracyVerdict(content, paired, met)
    progress(
        f"mIoU falls by {100 * paired.drop.difference:.2f} points, over the budget of "
        f"{scoring.max_drop:g}: looking for the operators that cost most"
    )
    budget = search_budget(
        quantization,
        reference=reference,
        open_result=finish.open_quantized,
        dataset=dataset,
        matching=scoring.matching,
        max_drop=allowed,
        tensors=[reference.tensor(frame) for frame in subjects.compared()],
        progress=progress,
    )
    if not budget.met or budget.content is None:
        return AccuracyVerdict(content, paired, budget)
    paired = _score(reference, budget.content, finish, dataset, scoring, progress)
    return AccuracyVerdict(budget.content, paired, budget)


def _score(
    reference: Segmenter,
    content: bytes,
    finish: Packaging,
    dataset: Dataset,
    scoring: Scoring,
    progress: Callable[[str], None],
) -> PairedEvaluation:
    progress(f"scoring float and result on {len(dataset.ids)} pictures")
    with finish.open_quantized(content) as candidate:
        return evaluate_pair(
            reference,
            candidate,
            dataset,
            matching=scoring.matching,
            progress=lambda done, total: (
                progress(f"scored {done} of {total}") if done % _EVERY == 0 else None
            ),
        )


def _met_at_once(
    paired: PairedEvaluation,
    content: bytes,
    finish: Packaging,
    dataset: Dataset,
    allowed: float,
) -> Budget:
    """Return the budget of a model that needs no operator in float.

    Nothing was searched, so that all pictures verify it.
    """
    with finish.open_quantized(content) as opened:
        frame = dataset.picture(paired.names[0])
        latency = invoke_ms(opened, frame)
    drop, count = paired.drop, len(paired.names)
    point = SearchPoint(0, (), paired.candidate.miou, drop, paired.agreement, latency)
    return Budget(
        max_drop=allowed,
        met=True,
        reason=f"Without any operator in float the model {lost(drop)} on all {count} "
        f"pictures: within the {100 * allowed:.2f} points allowed, nothing was "
        "searched.",
        images=count,
        classes=paired.classes,
        reference_miou=paired.reference.miou,
        ranking=None,
        curve=(point,),
        chosen=point,
        content=content,
    )
