"""The figures of a conversion: for its caller, and for its report."""

from __future__ import annotations

import dataclasses
import hashlib
import resource
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from edgeseg.converter.budgeting.noise import layer_noise
from edgeseg.converter.conversion.mediapipe import mediapipe_obstacle
from edgeseg.converter.conversion.original import score_original
from edgeseg.converter.conversion.parity import compare
from edgeseg.converter.conversion.pictures import spread
from edgeseg.converter.conversion.tflite_metadata import with_metadata
from edgeseg.converter.reporting.report import write_report
from edgeseg.runtime.accuracy.dataset import picture_with_truth
from edgeseg.runtime.accuracy.matching import match_model
from edgeseg.runtime.model.inspection import read_graph

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from edgeseg.converter.conversion.accuracy import AccuracyVerdict
    from edgeseg.converter.conversion.float_model import FloatModel
    from edgeseg.converter.conversion.packaging import Packaging, WrappedModel
    from edgeseg.converter.conversion.pictures import ConversionPictures
    from edgeseg.converter.conversion.request import Request, Scoring
    from edgeseg.converter.quantization.ranges import Ranges
    from edgeseg.devices.types import Json
    from edgeseg.runtime import Manifest, Segmenter
    from edgeseg.runtime.accuracy.paired import PairedEvaluation
    from edgeseg.runtime.model.graph import OperatorSummary

_START = time.monotonic()
_NOISE_PICTURES = 8
_PROTOCOL = (
    "one confusion matrix over all pictures at their own size, void dropped; scores "
    "upsampled bilinearly from the model's output to the picture in one step"
)


def accuracy_record(scoring: Scoring, paired: PairedEvaluation) -> Json:
    """Return the scores of float and result, and how they were had, as JSON values."""
    return {
        "dataset": scoring.dataset.resolve().name,
        "split": scoring.split,
        "merge_others": scoring.matching.merge_others,
        "protocol": _PROTOCOL,
        **paired.to_dict(),
    }


def figures(
    request: Request,
    pictures: ConversionPictures,
    model: FloatModel,
    result: bytes,
    graph: OperatorSummary,
) -> Json:
    """Return what there is to progress of a result of any format, as JSON values.

    Parameters
    ----------
    request : Request
        The request.
    pictures : ConversionPictures
        The pictures that it was compared on.
    model : FloatModel
        What it was made of.
    result : bytes
        The whole file.
    graph : OperatorSummary
        Its operators and tensors.
    """
    return {
        "request": request.to_dict(),
        "notes": list(model.notes),
        "preprocessing": model.preprocessing,
        "compared_with": pictures.compared_with,
        "parity": dataclasses.asdict(model.parity),
        "original_parity": None
        if model.original_parity is None
        else dataclasses.asdict(model.original_parity),
        "operators": {
            "float": read_graph(model.content).operators,
            "result": graph.operators,
        },
        "activations": {d: len(names) for d, names in graph.activations.items()},
        "input_dtype": graph.inputs[0].dtype,
        "output_dtype": graph.outputs[0].dtype,
        "sizes": {"float_bytes": len(model.content), "result_bytes": len(result)},
        "hashes": {
            "source": model.manifest.provenance["source_sha256"],
            "float": hashlib.sha256(model.content).hexdigest(),
            "result": hashlib.sha256(result).hexdigest(),
        },
    }


@dataclass(frozen=True)
class FinishedConversion:
    """A finished conversion, before its file is written.

    Parameters
    ----------
    request : Request
        The request.
    model : FloatModel
        The reference.
    pictures : ConversionPictures
        The pictures.
    ranges : Ranges or None
        From calibration.
    verdict : AccuracyVerdict
        The result and its scores.
    packaging : Packaging
        What was put around it.
    """

    request: Request
    model: FloatModel
    pictures: ConversionPictures
    ranges: Ranges | None
    verdict: AccuracyVerdict
    packaging: Packaging

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest that goes into the file."""
        provenance = dict(self.model.manifest.provenance)
        if self.ranges is not None:
            provenance["calibration_images"] = self.ranges.calibration.get("used")
            # saved ranges decide every number: those who measured them are named, so
            # that one file comes out whoever uses them
            made_with = self.ranges.origin.made_with
            versions = {k: v for k, v in made_with.items() if k != "processor"}
            provenance["versions"] = versions or provenance["versions"]
        budget = self.verdict.budget
        if budget is not None and budget.chosen is not None:
            provenance["kept_float"] = list(budget.chosen.operators)
        return dataclasses.replace(self._wrapped.manifest, provenance=provenance)

    @cached_property
    def file(self) -> bytes:
        """The content of the file to write."""
        return with_metadata(self._wrapped.content, self.manifest)

    @cached_property
    def _wrapped(self) -> WrappedModel:
        return self.packaging.wrapped(self.verdict.content)

    def to_dict(
        self, reference: Segmenter, result: Segmenter, progress: Callable[[str], None]
    ) -> Json:
        """Return the figures as JSON values.

        Parameters
        ----------
        reference, result : Segmenter
            Open on the float model and on the result.
        progress : callable
            Called with a line for each step.
        """
        frames = self.pictures.compared()
        progress(f"comparing with float on {len(frames)} {self.pictures.compared_with}")
        parity = compare(reference, result, frames)
        graph = read_graph(self.file)
        obstacle = mediapipe_obstacle(graph, self.manifest)
        return {
            **figures(self.request, self.pictures, self.model, self.file, graph),
            "int8_parity": dataclasses.asdict(parity),
            "mediapipe": None if obstacle is None else obstacle.text,
            "versions": dict(self.model.manifest.provenance["versions"]),
            "calibration": {} if self.ranges is None else dict(self.ranges.calibration),
            "accuracy": self._accuracy(),
            "original_accuracy": self._original_accuracy(result, progress),
            "budget": self._budget(),
        }

    def write_report(
        self,
        folder: Path,
        record: Json,
        reference: Segmenter,
        result: Segmenter,
        progress: Callable[[str], None],
    ) -> None:
        """Write the page and its JSON; see `write_report`.

        Parameters
        ----------
        folder : Path
            Where to.
        record : dict
            From `to_dict`.
        reference, result, progress
            As there.
        """
        progress("measuring the noise of layers")
        tensors = [
            reference.tensor(frame)
            for frame in spread(self.pictures.compared(), _NOISE_PICTURES)
        ]
        noise = layer_noise(self.model.content, self.verdict.content, tensors)
        request = self.request
        report = {
            **record,
            "title": f"{request.model.name} as {request.recipe}",
            "model": {
                "source": request.model.name,
                "recipe": request.recipe,
                "head": self.model.head,
                "input": record["input_dtype"],
                "output": record["output_dtype"],
                "input_size": list(self.manifest.input_size or ()),
                "resize": self.manifest.resize,
                "compared_with": self.pictures.compared_with,
                "mediapipe": record["mediapipe"] or "runs this file",
                "notes": list(self.model.notes),
            },
            "float_tensors": self._float_tensors(),
            "layers": [layer.to_dict() for layer in noise],
            "timings": {
                "seconds": time.monotonic() - _START,
                "peak_bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
            },
        }
        panels = list(self._panels(reference, result))
        write_report(folder, report, panels=panels, manifest=self.manifest)

    def _accuracy(self) -> Json | None:
        paired, scoring = self.verdict.paired, self.request.scoring
        if paired is None or scoring is None:
            return None
        return accuracy_record(scoring, paired)

    def _original_accuracy(
        self, result: Segmenter, progress: Callable[[str], None]
    ) -> Json | None:
        """Return the scores of the file itself and of the result."""
        scoring, dataset = self.request.scoring, self.pictures.dataset
        original = self.model.original
        if original is None or scoring is None or dataset is None:
            return None
        return score_original(
            original, result, self.request, dataset, scoring, progress
        )

    def _budget(self) -> Json | None:
        budget = self.verdict.budget
        return None if budget is None else budget.to_dict()

    def _float_tensors(self) -> list[dict[str, str]]:
        """Return what operators write in float, and why."""
        budget = self.verdict.budget
        kept = (
            () if budget is None or budget.chosen is None else budget.chosen.operators
        )
        names = read_graph(self.verdict.content).activations.get("float32", ())
        recipe = f"recipe {self.request.recipe} computes in float there"
        return [
            {
                "name": name,
                "dtype": "float32",
                "reason": "kept in float for the accuracy budget" if kept else recipe,
            }
            for name in names
        ]

    def _panels(self, reference: Segmenter, result: Segmenter) -> Iterator[Any]:
        """Yield the worst pictures: name, photo, truth in the model's ids, both ids."""
        paired, dataset = self.verdict.paired, self.pictures.dataset
        scoring = self.request.scoring
        if paired is None or dataset is None or scoring is None:
            return
        matched = match_model(reference, dataset, scoring.matching)
        for loss in paired.worst():
            frame, truth = picture_with_truth(dataset, loss.name)
            answers = (m.segment(frame).ids for m in (reference, result))
            maps = [matched.predicted_table[ids] for ids in answers]
            yield loss.name, frame, matched.truth_table[truth], *maps
