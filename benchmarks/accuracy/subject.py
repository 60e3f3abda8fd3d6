"""What is scored on which pictures, and what makes two runs the same run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.benchmarks.record import conditions, content_sha256
from edgeseg.runtime.accuracy.dataset import fingerprint
from edgeseg.runtime.accuracy.matching import SHARED

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Json
    from edgeseg.runtime import Segmenter
    from edgeseg.runtime.accuracy.dataset import Dataset
    from edgeseg.runtime.accuracy.matching import Matching


@dataclass(frozen=True)
class EvalScope:
    """Which pictures are scored, and how they count.

    Parameters
    ----------
    split : str
        Name of the list.
    limit : int or None
        The first so many of it.
    matching : Matching
        Which classes count, and how.
    """

    split: str
    limit: int | None = None
    matching: Matching = SHARED


@dataclass(frozen=True)
class Subject:
    """A model on a data set, both open.

    Parameters
    ----------
    model : Path
        The model file.
    segmenter : Segmenter
        Open on it.
    root : Path
        The data set's folder.
    dataset : Dataset
        Open on it.
    """

    model: Path
    segmenter: Segmenter
    root: Path
    dataset: Dataset


def identity(
    kind: str, subject: Subject, scope: EvalScope, *, reference: str | None = None
) -> Json:
    """Return what makes a run the same run, as JSON values.

    Parameters
    ----------
    kind : str
        The command.
    subject : Subject
        What runs on what.
    scope : EvalScope
        Which pictures, how.
    reference : str or None
        Hash of the reference that the model is held against.
    """
    around = conditions(subject.model, subject.segmenter)
    classes = scope.matching.classes
    return {
        "journal": f"edgeseg {kind}",
        "model": content_sha256(subject.model),
        "manifest": subject.segmenter.manifest.to_dict(),
        "device": around["device"],
        "versions": around["versions"],
        "data": fingerprint(subject.dataset),
        "split": scope.split,
        "limit": scope.limit,
        "classes": None if classes is None else list(classes),
        "merge_others": scope.matching.merge_others,
        "reference": reference,
    }
