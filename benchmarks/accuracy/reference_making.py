"""Make a reference: label maps and scores of a model, usually the float one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeseg.benchmarks.accuracy.identity import identity
from edgeseg.benchmarks.accuracy.processor import processor, use_whole_float32
from edgeseg.benchmarks.accuracy.reference import (
    DATASET,
    KIND,
    PICTURES,
    RECORD,
    map_path,
    sources_of,
)
from edgeseg.benchmarks.record import conditions, write_record
from edgeseg.runtime.accuracy.journal import Journal
from edgeseg.runtime.accuracy.measure import measure_accuracy
from edgeseg.runtime.atomic import write_bytes
from edgeseg.runtime.datasets import fingerprint
from edgeseg.runtime.modelfile import sha256

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.benchmarks.accuracy.identity import Scope, Subject
    from edgeseg.runtime import Segmenter


def make_reference(
    subject: Subject,
    folder: Path,
    scope: Scope,
    *,
    resumed: Callable[[int], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Fill a folder with a reference and return its record.

    A run that was stopped goes on where it was; a finished one is left as it is.

    Parameters
    ----------
    subject : Subject
        What to run on what.
    folder : Path
        See `edgeseg.benchmarks.accuracy.reference`.
    scope : Scope
        Which pictures, and how they count in the record's scores.
    resumed : callable or None
        Called once with the pictures that an earlier run had done.
    progress : callable or None
        Called with pictures done and pictures in all.

    Raises
    ------
    InputError
        The folder holds another reference, or the data is not usable.
    OutputError
        The folder cannot be written.
    """
    segmenter, dataset = subject.segmenter, subject.dataset
    use_whole_float32(segmenter.device.describe().get("backend"))
    run = identity("reference", subject, scope)
    with Journal(folder / PICTURES, run) as journal:
        if resumed is not None and journal.rows:
            resumed(len(journal.rows))
        accuracy = measure_accuracy(
            segmenter,
            dataset,
            limit=scope.limit,
            classes=scope.classes,
            merge_others=scope.merge_others,
            keep=_keeper(folder, segmenter),
            journal=journal,
            progress=progress,
        )
    record = {
        **accuracy.to_dict(),
        **_origin(subject, scope),
        "pictures_sha256": sha256(folder / PICTURES),
    }
    where = f"{subject.root.resolve()}\n"
    write_bytes(folder / DATASET, where.encode("utf-8", "surrogateescape"))
    write_record(folder / RECORD, record)
    return record


def _keeper(
    folder: Path, segmenter: Segmenter
) -> Callable[[str, NDArray[np.uint8]], None]:
    from edgeseg.runtime.overlay import colour_table
    from edgeseg.runtime.pictures import write_ids

    table = colour_table(segmenter.manifest.palette)

    def keep(name: str, ids: NDArray[np.uint8]) -> None:
        write_ids(map_path(folder, name), ids, table)

    return keep


def _origin(subject: Subject, scope: Scope) -> dict[str, Any]:
    """Return where a reference comes from, as JSON values."""
    manifest, device = subject.segmenter.manifest, subject.segmenter.device
    told = conditions(subject.model, subject.segmenter)
    spec = device.outputs[0]
    return {
        **told,
        "kind": KIND,
        "float": device.inputs[0].dtype == spec.dtype == "float32",
        "processor": processor(told["device"].get("backend")),
        "sources": sources_of(told["model_sha256"], manifest.provenance),
        "model_labels": list(manifest.labels or subject.dataset.labels),
        "dataset": subject.root.resolve().name,
        "split": scope.split,
        "limit": scope.limit,
        "merge_others": scope.merge_others,
        "data_labels": list(subject.dataset.labels),
        "data_sha256": fingerprint(subject.dataset),
    }
