"""Two model files held against each other on a source, from paths to a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeseg.benchmarks.parity.compare import Comparison, compare_models
from edgeseg.benchmarks.parity.layers import (
    LayerDifference,
    first_difference,
    layer_differences,
)
from edgeseg.benchmarks.record import model_sha256, open_model
from edgeseg.devices import InputError
from edgeseg.runtime.progress import ProgressLine
from edgeseg.runtime.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from edgeseg.runtime import Overrides, Segmenter

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
        Operators in the first model's order; None where they were not asked for.
    """

    models: tuple[tuple[str, str], ...]
    comparison: Comparison
    layers: tuple[LayerDifference, ...] | None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        told: dict[str, Any] = self.comparison.to_dict()
        told["models"] = [{"model": n, "sha256": digest} for n, digest in self.models]
        if self.layers is not None:
            first = first_difference(self.layers)
            told["layers"] = [layer.to_dict() for layer in self.layers]
            told["first_difference"] = None if first is None else first.to_dict()
        return told

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
        asked for of models that are no .tflite files.
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
    told = tuple((path.name, model_sha256(path)) for path in models)
    return CompareRecord(told, comparison, found)


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
) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    with open_source(source) as opened:
        for done, capture in enumerate(opened.captures()):
            if done == count:
                break
            yield first.tensor(capture.frame), second.tensor(capture.frame)


def _amount(largest: float, step: float | None) -> str:
    steps = "" if step is None else f", {largest / step:.2f} steps of the coarser model"
    return f"{largest:.4g}{steps}"
