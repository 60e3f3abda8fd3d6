"""The command that scores a model: parse, call, print."""

from __future__ import annotations

from pathlib import Path

import click

from edgeseg.benchmarks.commands.options import (
    OTHER_MODEL,
    open_subject,
    progress_of,
    report_resumed,
    scope_of,
    scope_options,
)
from edgeseg.runtime.commands.options import (
    MODEL,
    PATH,
    device_options,
    override_options,
)
from edgeseg.runtime.terminal.console import show

LOCAL = "local"


@click.command("eval")
@click.argument("model", type=MODEL)
@click.argument("dataset", type=PATH)
@scope_options
@click.option(
    "--against",
    type=PATH,
    metavar="REF",
    help="Hold the model against a reference that edgeseg reference made: interval of "
    "the difference, share of equal labels, class changes.",
)
@OTHER_MODEL
@click.option("--json", "json_path", type=PATH, help="Also write a JSON record there.")
@click.option(
    "--resume",
    type=PATH,
    metavar="FILE",
    help="Note each picture there; a run that was stopped goes on when it is "
    "repeated.  [default: beside the record of --json, as NAME.journal]",
)
@click.option(
    "--ray",
    metavar="[ADDRESS]",
    is_flag=False,
    flag_value=LOCAL,
    help="Count on a cluster of Ray: HOST:PORT, or auto for the one that this machine "
    "belongs to; without an address on a Ray of its own, on this machine alone.",
)
@device_options
@override_options
def evaluate(
    model: Path,
    dataset: Path,
    against: Path | None,
    other_model: bool,
    json_path: Path | None,
    resume: Path | None,
    ray: str | None,
    **values: object,
) -> None:
    """Score a model on pictures with truth.

    MODEL is a .tflite file or, where TensorFlow is installed, the float Keras
    model. One confusion matrix is counted over all pictures at their own size;
    void (255) is left out. The score near edges (boundary IoU) and the one at the
    size of the network's input are shown beside it.

    \b
    DATASET is a folder with
      JPEGImages/ SegmentationClass/ and lists (PASCAL VOC)
      images/SPLIT/ annotations/SPLIT/ (ADE20K)
      leftImg8bit/SPLIT/CITY/ gtFine/SPLIT/CITY/ (Cityscapes)
      images/ masks/ labels.txt and, if any, SPLIT.txt
      or an export of COCO, CVAT, Roboflow, LabelMe, YOLO, Supervisely or Label
      Studio, or masks in colour: edgeseg dataset shows what it is
    """  # noqa: D301 (click needs the character itself)
    from edgeseg.benchmarks.accuracy.evaluate import (
        check_reference,
        eval_text,
        run_eval,
    )
    from edgeseg.benchmarks.accuracy.reference import open_reference
    from edgeseg.benchmarks.record import is_record, write_record
    from edgeseg.runtime.pictures.atomic import check_writable
    from edgeseg.runtime.pictures.originals import check_apart

    labels = [str(values[key] or "") for key in ("labels", "truth_labels")]
    read = model, dataset, against, *labels
    if not is_record(json_path):
        check_apart(json_path, *read, option="--json")
    if resume is not None and not resume.exists():  # the journal knows its own
        check_apart(resume, *read, option="--resume")
    scope = scope_of(values)
    journal = resume
    if json_path is not None:
        check_writable(json_path)
        journal = resume or json_path.with_name(f"{json_path.name}.journal")
    reference = None if against is None else open_reference(against)
    where = None
    if ray is not None:
        # --ray is rare, and its extra may not be installed
        from edgeseg.benchmarks.accuracy.on_ray import Scoring, counted_on_ray

        request = Scoring.of(model, dataset, scope, values, against)
        where = counted_on_ray(None if ray == LOCAL else ray, request)
    with open_subject(model, dataset, scope.split, values) as subject:
        if reference is not None:
            check_reference(reference, subject, scope, any_model=other_model)
        with progress_of(len(subject.dataset.ids[: scope.limit])) as line:
            record = run_eval(
                subject,
                scope,
                reference=reference,
                journal=journal,
                resumed=None if journal is None else report_resumed(journal),
                progress=lambda done, _: line.show(done),
                elsewhere=where,
            )
    if json_path is not None:
        write_record(json_path, record)
    if journal is not None:
        journal.unlink(missing_ok=True)
    show(eval_text(record))
