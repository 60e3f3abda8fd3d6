"""Two models on the same pictures, without truth: labels, scores, class changes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING

from edgeseg.benchmarks.parity.layers import (
    LayerDifference,
    first_difference,
    layer_differences,
)
from edgeseg.benchmarks.record import model_sha256, open_model
from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.counters import ScoreGap, count_flips
from edgeseg.runtime.accuracy.counting import Picture, count_pictures
from edgeseg.runtime.accuracy.result import flips_of
from edgeseg.runtime.capture.open import open_source
from edgeseg.runtime.model.labels import same_name
from edgeseg.runtime.terminal.progress import ProgressLine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from edgeseg.devices.types import Array, Json
    from edgeseg.runtime import Overrides, Segmenter, Source
    from edgeseg.runtime.accuracy.counting import Answer
    from edgeseg.runtime.accuracy.counts import Counts
    from edgeseg.runtime.accuracy.result import Flips


@dataclass(frozen=True)
class ScoreDifference:
    """How far two models' scores are apart at most, on the network's own grid.

    Parameters
    ----------
    largest : float
        Largest absolute difference, in the models' own units.
    step : float or None
        Quantization step of the coarser model's output; None where both are float.
    largest_score : float
        Largest absolute score of the first model, to hold the difference against.
    """

    largest: float
    step: float | None
    largest_score: float

    @property
    def steps(self) -> float | None:
        """Largest difference in quantization steps."""
        return None if self.step is None else self.largest / self.step

    def to_dict(self) -> Json:
        """Return JSON values."""
        return {**asdict(self), "steps": self.steps}


@dataclass(frozen=True)
class Comparison:
    """How two models answered the same pictures.

    Parameters
    ----------
    flips : Flips
        Equal labels and class changes; the first model's classes down.
    scores : ScoreDifference or None
        None where the models do not both give scores on one grid.
    failures : tuple of str
        Pictures that could not be read, one line each.
    """

    flips: Flips
    scores: ScoreDifference | None
    failures: tuple[str, ...]

    def to_dict(self) -> Json:
        """Return JSON values."""
        scores = None if self.scores is None else self.scores.to_dict()
        return {
            **self.flips.to_dict(),
            "scores": scores,
            "unreadable": list(self.failures),
        }


def compare_models(
    first: Segmenter,
    second: Segmenter,
    source: Source,
    *,
    limit: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Comparison:
    """Run two models on the pictures of a source.

    Parameters
    ----------
    first, second : Segmenter
        Open, with the same classes.
    source : Source
        Open; iterated once.
    limit : int or None
        Take the first so many pictures.
    progress : callable or None
        Called with pictures done.

    Raises
    ------
    InputError
        Classes differ, or no picture could be read.
    """
    labels = _common_labels(first, second)
    scored = _gives_scores_alike(first, second)
    gap = ScoreGap()

    def count(picture: Picture, answers: Sequence[Answer]) -> Counts:
        counts = count_flips(picture, answers)
        if scored:
            gap.add(*answers)
        return counts

    pictures = (Picture(c.name, c.frame) for c in source.captures())
    counted = count_pictures(
        islice(pictures, limit), [first, second], count, progress=progress
    )
    if not counted:
        raise InputError(
            f"expected pictures that can be read, got none: "
            f"{'; '.join(source.failures[:2]) or 'the source is empty'}"
        )
    steps = [s.output.scale for s in (first, second)]
    difference = ScoreDifference(gap.largest, max(steps) or None, gap.largest_score)
    return Comparison(
        flips_of(counted, labels),
        difference if scored else None,
        source.failures,
    )


def _common_labels(first: Segmenter, second: Segmenter) -> tuple[str, ...]:
    names = first.manifest.labels, second.manifest.labels
    classes = first.head.classes, second.head.classes
    reduced = [[same_name(name) for name in labels] for labels in names]
    named_apart = all(names) and reduced[0] != reduced[1]
    if named_apart or (all(classes) and classes[0] != classes[1]):
        counts = [len(labels) or n for labels, n in zip(names, classes, strict=True)]
        raise InputError(
            "expected two models with the same classes in the same order, got "
            f"{counts[0]} ({', '.join(names[0][:3]) or 'unnamed'}) and "
            f"{counts[1]} ({', '.join(names[1][:3]) or 'unnamed'}): --labels names "
            "those of both"
        )
    return names[0] or names[1]


def _gives_scores_alike(first: Segmenter, second: Segmenter) -> bool:
    heads = first.head, second.head
    return (
        all(head.kind != "labels" for head in heads)
        and heads[0].grid_hw == heads[1].grid_hw
        and heads[0].classes == heads[1].classes
    )


_LAYER_PICTURES = 4  # every tensor of both models is read for each


@dataclass(frozen=True)
class CompareRecord:
    """A comparison and what was compared.

    Parameters
    ----------
    models : tuple of (str, str)
        File name and SHA-256 of both.
    comparison : Comparison
        Labels, scores, class changes.
    layers : tuple of LayerDifference or None
        Operators in the first model's order; None where they were not compared.
    """

    models: tuple[tuple[str, str], ...]
    comparison: Comparison
    layers: tuple[LayerDifference, ...] | None

    def to_dict(self) -> Json:
        """Return JSON values."""
        values: Json = self.comparison.to_dict()
        values["models"] = [{"model": n, "sha256": digest} for n, digest in self.models]
        if self.layers is not None:
            first = first_difference(self.layers)
            values["layers"] = [layer.to_dict() for layer in self.layers]
            values["first_difference"] = None if first is None else first.to_dict()
        return values

    def to_text(self) -> str:
        """Return the lines that a user sees."""
        lines = [self.comparison.flips.to_text(), self._scores()]
        if self.layers is not None:
            first = first_difference(self.layers)
            lines.append(
                f"none of {len(self.layers)} shared operators differs"
                if first is None
                else f"first operator that differs: {first.operator} {first.name}, by "
                + _amount(first.largest, first.step)
            )
        lines += [f"unreadable: {failure}" for failure in self.comparison.failures]
        return "\n".join([*lines, f"{len(self.comparison.flips.pictures)} pictures"])

    def _scores(self) -> str:
        scores = self.comparison.scores
        if scores is None:
            return "scores: not comparable (class ids, or another grid)"
        return (
            "largest difference of scores: "
            + _amount(scores.largest, scores.step)
            + f" (largest score {scores.largest_score:.4g})"
        )


def run_compare(
    models: tuple[Path, Path],
    source: str,
    *,
    device: str = "auto",
    threads: int | None = None,
    overrides: Overrides,
    limit: int | None = None,
    layers: bool = False,
) -> CompareRecord:
    """Open two models and a source and compare.

    Parameters
    ----------
    models : (Path, Path)
        ``.tflite`` files or float Keras models.
    source : str
        See `open_source`.
    device, threads, overrides
        See `Segmenter.open`; of both models.
    limit : int or None
        Take the first so many pictures.
    layers : bool
        Compare operator by operator, on the first few pictures.

    Raises
    ------
    InputError
        The models have other classes, the source gives nothing, or operators are
        to be compared of models that are no .tflite files.
    """
    if layers and any(path.suffix != ".tflite" for path in models):
        raise InputError(
            "--layers compares two .tflite files of one network, got "
            f"{' and '.join(path.name for path in models)}"
        )
    with (
        open_model(models[0], device, threads, overrides) as first,
        open_model(models[1], device, threads, overrides) as second,
    ):
        comparison = _compare(first, second, source, limit)
        found = None
        if layers:
            contents = models[0].read_bytes(), models[1].read_bytes()
            few = min(limit or _LAYER_PICTURES, _LAYER_PICTURES)
            found = layer_differences(*contents, _tensors(first, second, source, few))
    named = tuple((path.name, model_sha256(path)) for path in models)
    return CompareRecord(named, comparison, found)


def _compare(
    first: Segmenter, second: Segmenter, source: str, limit: int | None
) -> Comparison:
    with open_source(source) as opened:
        line = ProgressLine(min(opened.count or 0, limit or opened.count or 0) or None)
        try:
            return compare_models(
                first, second, opened, limit=limit, progress=line.show
            )
        finally:
            line.end()


def _tensors(
    first: Segmenter, second: Segmenter, source: str, count: int
) -> Iterator[tuple[Array, Array]]:
    with open_source(source) as opened:
        for done, capture in enumerate(opened.captures()):
            if done == count:
                break
            yield first.tensor(capture.frame), second.tensor(capture.frame)


def _amount(largest: float, step: float | None) -> str:
    steps = "" if step is None else f", {largest / step:.2f} steps of the coarser model"
    return f"{largest:.4g}{steps}"
