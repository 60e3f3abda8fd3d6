"""Score a model on a data set, beside a reference where there is one."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from edgeseg.benchmarks.accuracy.identity import identity
from edgeseg.benchmarks.accuracy.reference import sources_of
from edgeseg.benchmarks.record import conditions, model_sha256
from edgeseg.runtime.accuracy.journal import Journal
from edgeseg.runtime.accuracy.measure import measure_accuracy
from edgeseg.runtime.datasets import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edgeseg.benchmarks.accuracy.identity import Scope, Subject
    from edgeseg.benchmarks.accuracy.reference import Reference
    from edgeseg.runtime.accuracy.result import Accuracy


def run_eval(
    subject: Subject,
    scope: Scope,
    *,
    reference: Reference | None = None,
    journal: Path | None = None,
    resumed: Callable[[int], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Score a model and return the record.

    Parameters
    ----------
    subject : Subject
        What to run on what.
    scope : Scope
        Which pictures, and how they count.
    reference : Reference or None
        Checked by `check_reference`: to hold the model against.
    journal : Path or None
        Where to note each picture, so that a run that was stopped goes on when it is
        repeated; to be removed once the record is safe.
    resumed : callable or None
        Called once with the pictures that an earlier run had done.
    progress : callable or None
        Called with pictures done and pictures in all.

    Raises
    ------
    InputError
        The data is not usable, or the journal is another run's.
    OutputError
        The journal cannot be written.
    """
    segmenter, dataset = subject.segmenter, subject.dataset
    digest = None if reference is None else reference.sha256
    opened: Any = nullcontext()
    if journal is not None:
        run = identity("eval", subject, scope, reference=digest)
        opened = Journal(journal, run)
    with opened as notes:
        if resumed is not None and notes is not None and notes.rows:
            resumed(len(notes.rows))
        accuracy = measure_accuracy(
            segmenter,
            dataset,
            limit=scope.limit,
            classes=scope.classes,
            merge_others=scope.merge_others,
            reference=None if reference is None else reference.ids,
            journal=notes,
            progress=progress,
        )
        record = _record(subject, scope, accuracy, reference)
    return record


def check_reference(
    reference: Reference, subject: Subject, scope: Scope, *, any_model: bool = False
) -> None:
    """Raise unless a model on a data set can be held against a reference.

    Parameters
    ----------
    reference : Reference
        From `open_reference`.
    subject : Subject
        The model and the data set.
    scope : Scope
        Which pictures.
    any_model : bool
        Take a model that says it was made of another one.

    Raises
    ------
    InputError
        It was made with another data set, split, label set or model.
    """
    dataset, manifest = subject.dataset, subject.segmenter.manifest
    names = dataset.ids[: scope.limit]
    reference.check_data(dataset.labels, scope.split, fingerprint(dataset), names)
    sources = sources_of(model_sha256(subject.model), manifest.provenance)
    labels = manifest.labels or dataset.labels
    reference.check_model(labels, sources, any_model=any_model)


def _record(
    subject: Subject, scope: Scope, accuracy: Accuracy, reference: Reference | None
) -> dict[str, Any]:
    record = {
        **accuracy.to_dict(),
        **conditions(subject.model, subject.segmenter),
        "dataset": subject.root.resolve().name,
        "split": scope.split,
        "limit": scope.limit,
        "merge_others": scope.merge_others,
        "data_sha256": fingerprint(subject.dataset),
    }
    if reference is not None:
        kept = ("model", "model_sha256", "device", "versions", "pictures_sha256")
        told = {key: reference.record[key] for key in kept}
        flips = accuracy.flips.to_dict()["flips"]
        paired = accuracy.against().to_dict()
        record["against"] = {**paired, "flips": flips, "made_with": told}
    return record
