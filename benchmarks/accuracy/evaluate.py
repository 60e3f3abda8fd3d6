"""Score a model on a data set, beside a reference where there is one.

The record is a value for JSON, and text for people.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from edgeseg.benchmarks.accuracy.reference import sources_of
from edgeseg.benchmarks.accuracy.subject import identity
from edgeseg.benchmarks.record import conditions, model_sha256
from edgeseg.runtime.accuracy.dataset import fingerprint
from edgeseg.runtime.accuracy.evaluation import evaluate
from edgeseg.runtime.accuracy.journal import Journal
from edgeseg.runtime.model.labels import same_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from edgeseg.benchmarks.accuracy.reference import Reference
    from edgeseg.benchmarks.accuracy.subject import EvalScope, Subject
    from edgeseg.devices.types import Json
    from edgeseg.runtime.accuracy.counts import Counts
    from edgeseg.runtime.accuracy.result import Accuracy

_SHOWN = {
    "mIoU": "miou",
    "pixel accuracy": "pixel_accuracy",
    "mean accuracy": "mean_accuracy",
    "frequency-weighted IoU": "fw_iou",
}
_CHANGES = 6  # class changes shown
_LEFT_OUT = 12  # classes in no mean, shown


def run_eval(
    subject: Subject,
    scope: EvalScope,
    *,
    reference: Reference | None = None,
    journal: Path | None = None,
    resumed: Callable[[int], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
    elsewhere: Callable[[Sequence[str]], Iterable[Counts]] | None = None,
) -> Json:
    """Score a model and return the record.

    Parameters
    ----------
    subject : Subject
        What to run on what.
    scope : EvalScope
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
    elsewhere : callable or None
        Counts pictures in place of this process; see
        `edgeseg.benchmarks.accuracy.on_ray.counted_on_ray`.

    Raises
    ------
    InputError
        The data is not usable, or the journal is another run's.
    OutputError
        The journal cannot be written.
    """
    segmenter, dataset = subject.segmenter, subject.dataset
    digest = None if reference is None else reference.sha256
    opened: Journal | nullcontext[None] = nullcontext()
    if journal is not None:
        run = identity("eval", subject, scope, reference=digest)
        opened = Journal(journal, run)
    with opened as notes:
        if resumed is not None and notes is not None and notes.rows:
            resumed(len(notes.rows))
        accuracy = evaluate(
            segmenter,
            dataset,
            names=dataset.ids[: scope.limit],
            matching=scope.matching,
            detailed=True,
            reference=None if reference is None else reference.ids,
            journal=notes,
            progress=progress,
            elsewhere=elsewhere,
        )
        record = _record(subject, scope, accuracy, reference)
    return record


def check_reference(
    reference: Reference, subject: Subject, scope: EvalScope, *, any_model: bool = False
) -> None:
    """Raise unless a model on a data set can be held against a reference.

    Parameters
    ----------
    reference : Reference
        From `open_reference`.
    subject : Subject
        The model and the data set.
    scope : EvalScope
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
    subject: Subject, scope: EvalScope, accuracy: Accuracy, reference: Reference | None
) -> Json:
    record = {
        **accuracy.to_dict(),
        **conditions(subject.model, subject.segmenter),
        "dataset": subject.root.resolve().name,
        "split": scope.split,
        "limit": scope.limit,
        "merge_others": scope.matching.merge_others,
        "left_out": _left_out(subject, accuracy),
        "data_sha256": fingerprint(subject.dataset),
    }
    if reference is not None:
        kept = ("model", "model_sha256", "device", "versions", "pictures_sha256")
        made_with = {key: reference.record[key] for key in kept}
        flips = accuracy.flips.to_dict()["flips"]
        paired = accuracy.against().to_dict()
        record["against"] = {**paired, "flips": flips, "made_with": made_with}
    return record


def _left_out(subject: Subject, accuracy: Accuracy) -> Json:
    """Return the classes that no mean counts: of the data set, and of the model."""
    counted = {same_name(name) for name in accuracy.classes}
    truth, model = subject.dataset.labels, subject.segmenter.manifest.labels
    return {
        kind: [name for name in names if same_name(name) not in counted]
        for kind, names in (("dataset", truth), ("model", model))
    }


def eval_text(record: Json) -> str:
    """Return the lines that a user sees.

    Parameters
    ----------
    record : mapping of str to JSON value
        As `run_eval` returns it.
    """
    lines = [_line(name, record[key]) for name, key in _SHOWN.items()]
    lines += [_line(f"  {name}", iou) for name, iou in record["per_class_iou"].items()]
    lines += _beside(record)
    if "against" in record:
        lines += _against(record["against"])
    lines.append(
        f"{record['images']} pictures of {record['dataset']}/{record['split']}, "
        f"{len(record['classes'])} classes; model sha256 {record['model_sha256'][:16]}"
    )
    for kind, names in record.get("left_out", {}).items():
        if names:
            where = "data set" if kind == "dataset" else "model"
            shown = ", ".join(names[:_LEFT_OUT])
            more = f" and {len(names) - _LEFT_OUT} more" * (len(names) > _LEFT_OUT)
            lines.append(f"in no mean, of the {where}: {shown}{more}")
    return "\n".join(lines)


def _beside(record: Json) -> list[str]:
    """Return the other protocols, each labelled."""
    height, width = record["network_size"]["input_hw"]
    network = record["network_size"]["miou"]
    return [
        _line("boundary IoU", record["boundary"]["miou"]),
        _line("mIoU at network size", network)
        + f"  ({width}x{height}, truth by nearest pixel; not the own size)",
    ]


def _against(against: Json) -> list[str]:
    made, drop, edge = against["made_with"], against["drop"], against["boundary"]
    lines = [
        f"against {made['model']} (sha256 {made['model_sha256'][:16]}):",
        _line("  its mIoU", against["reference"]["miou"]),
        f"{'  reference - model':24} " + _interval(drop),
        f"{'  near edges':24} " + _interval(edge),
        _line("  equal labels", against["agreement"]),
    ]
    flips = against["flips"]
    changes = [
        (pixels, flips["classes"][i], flips["classes"][j])
        for i, row in enumerate(flips["pixels"])
        for j, pixels in enumerate(row)
        if i != j and pixels
    ]
    total = sum(map(sum, flips["pixels"]))
    for pixels, first, second in sorted(changes, reverse=True)[:_CHANGES]:
        change = f"    {first} -> {second}"
        lines.append(f"{change:34} {100 * pixels / total:6.3f} % of pixels")
    return lines


def _interval(interval: Json) -> str:
    return (
        f"{100 * interval['difference']:6.2f} points, 95 % interval "
        f"{100 * interval['low']:.2f} to {100 * interval['high']:.2f}"
    )


def _line(name: str, share: float | None) -> str:
    return f"{name:24} " + ("no truth" if share is None else f"{100 * share:6.2f} %")
