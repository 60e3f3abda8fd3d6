"""The commands that measure: parse, call, print."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from edgeseg.runtime.options import (
    PATH,
    device_options,
    override_options,
    overrides_of,
)
from edgeseg.runtime.progress import ProgressLine


@click.command("eval")
@click.argument("model", type=PATH)
@click.argument("dataset", type=PATH)
@click.option("--split", default="val", show_default=True, help="List of pictures.")
@click.option(
    "--classes",
    metavar="A,B,C",
    help="Average over these classes.  [default: all that model and data set share]",
)
@click.option(
    "--merge-others",
    is_flag=True,
    help="Count classes not named in --classes as background, in truth and prediction.",
)
@click.option("--json", "json_path", type=PATH, help="Also write a JSON record there.")
@device_options
@override_options
def evaluate(
    model: Path,
    dataset: Path,
    split: str,
    classes: str | None,
    merge_others: bool,
    json_path: Path | None,
    **values: Any,
) -> None:
    """Score a model on pictures with truth.

    MODEL is a .tflite file or, where TensorFlow is installed, the float .keras
    file. DATASET is a folder in PASCAL VOC's layout. One confusion matrix is
    counted over all pictures at their own size; void (255) is left out.
    """
    from edgeseg.benchmarks.record import conditions, open_model
    from edgeseg.devices import InputError
    from edgeseg.runtime.atomic import check_writable, write_bytes
    from edgeseg.runtime.datasets import open_dataset
    from edgeseg.runtime.evaluation import evaluate as score

    names = [name.strip() for name in classes.split(",")] if classes else None
    if merge_others and not names:
        raise InputError("--merge-others needs --classes: which are the others?")
    if json_path is not None:
        check_writable(json_path)
    opened = open_dataset(dataset, split)
    overrides = overrides_of(values)
    with open_model(model, values["device"], values["threads"], overrides) as segmenter:
        if not segmenter.manifest.labels:
            click.echo(
                f"Note: {model.name} names no classes; taking the data set's "
                f"{len(opened.labels)} (--labels says otherwise)",
                err=True,
            )
        line = ProgressLine(len(opened.ids))
        result = score(
            segmenter,
            opened,
            classes=names,
            merge_others=merge_others,
            progress=lambda done, total: line.show(done),
        )
        line.end()
        record = {
            **result.to_dict(),
            **conditions(model, segmenter),
            "dataset": dataset.resolve().name,
            "split": split,
            "merge_others": merge_others,
        }
    if json_path is not None:
        text = json.dumps(record, indent=2, sort_keys=True) + "\n"
        write_bytes(json_path, text.encode())
    click.echo(_text(record))


def _text(record: dict[str, Any]) -> str:
    shown = {
        "mIoU": "miou",
        "pixel accuracy": "pixel_accuracy",
        "mean accuracy": "mean_accuracy",
        "frequency-weighted IoU": "fw_iou",
    }
    lines = [f"{name:24} {100 * record[key]:6.2f} %" for name, key in shown.items()]
    for name, iou in record["per_class_iou"].items():
        lines.append(
            f"  {name:22} " + ("no truth" if iou is None else f"{100 * iou:6.2f} %")
        )
    lines.append(
        f"{record['images']} pictures of {record['dataset']}/{record['split']}, "
        f"{len(record['classes'])} classes; model sha256 {record['model_sha256'][:16]}"
    )
    return "\n".join(lines)
