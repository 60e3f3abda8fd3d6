"""What a conversion costs: float and int8 on the same pictures, with an interval.

``python -m edgeseg.benchmarks.drop FLOAT.keras INT8.tflite DATASET RECORD.json``
scores both on the split ``val`` over the seven classes that the people-and-animals
subset of PASCAL VOC has in numbers, and writes the record that the README quotes.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeseg.benchmarks.record import conditions, open_model
from edgeseg.runtime import Overrides
from edgeseg.runtime.atomic import write_bytes
from edgeseg.runtime.bootstrap import paired_bootstrap
from edgeseg.runtime.datasets import open_dataset
from edgeseg.runtime.evaluation import Evaluation, evaluate

if TYPE_CHECKING:
    from edgeseg.runtime.datasets import Dataset

_CLASSES = ("background", "cat", "cow", "dog", "horse", "person", "sheep")


def measure(reference: Path, candidate: Path, dataset: Path) -> dict[str, Any]:
    """Return the scores of two models and their difference, as JSON values.

    Parameters
    ----------
    reference, candidate : Path
        Model files, ``.keras`` or ``.tflite``, with VOC's classes.
    dataset : Path
        A folder in PASCAL VOC's layout with a split ``val``.
    """
    opened = open_dataset(dataset, "val")
    first, first_record = _score(reference, opened)
    second, second_record = _score(candidate, opened)
    interval = paired_bootstrap(first.matrices, second.matrices, first.chosen)
    return {
        "dataset": dataset.resolve().name,
        "split": "val",
        "reference": first_record,
        "candidate": second_record,
        "drop": asdict(interval),
        "interval": "paired bootstrap over pictures, 2000 draws, 95 %, seed 0",
    }


def _score(model: Path, dataset: Dataset) -> tuple[Evaluation, dict[str, Any]]:
    overrides = Overrides(labels="pascal-voc")
    with open_model(model, "auto", None, overrides) as segmenter:
        result = evaluate(segmenter, dataset, classes=_CLASSES)
        return result, {**result.to_dict(), **conditions(model, segmenter)}


if __name__ == "__main__":
    first, second, folder, target = map(Path, sys.argv[1:5])
    record = measure(first, second, folder)
    write_bytes(target, (json.dumps(record, indent=2, sort_keys=True) + "\n").encode())
    print(json.dumps(record["drop"]))
