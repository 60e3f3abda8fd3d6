"""Int8 ONNX files with explicit quantization, beside int8 TFLite and float: mIoU, time.

``python -m edgeseg.benchmarks.studies.qdq DATASET CALIBRATION RECORD.json
MODEL[=LABELS] ...``
makes four files of every Keras MODEL, of one float network and one calibration: float
and int8 TFLite, and both forms of int8 ONNX that `convert` writes. ONNX files are run
in ONNX Runtime, and in OpenVINO in an environment of its own. All of them answer each
picture in turns, so that what else the machine does meets each alike. CALIBRATION is a
folder of photos, or of ``NAME.ranges.json`` that ``--save-ranges`` wrote.

Run from a checkout; see `edgeseg.benchmarks.studies`.
"""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeseg.benchmarks.record import write_record
from edgeseg.benchmarks.studies.conversions import machine
from edgeseg.benchmarks.studies.openvino_device import OpenVinoDevice
from edgeseg.benchmarks.studies.qdq_files import make_files
from edgeseg.benchmarks.studies.scoring_options import (
    matching_of,
    say,
    scoring_options,
)
from edgeseg.runtime import Segmenter
from edgeseg.runtime.accuracy.bootstrap import paired_bootstrap
from edgeseg.runtime.accuracy.counters import CountTruth
from edgeseg.runtime.accuracy.counting import Answer, pictures_with_truth
from edgeseg.runtime.accuracy.matching import match_model
from edgeseg.runtime.accuracy.open import open_dataset
from edgeseg.runtime.accuracy.result import Accuracy, flips_of
from edgeseg.runtime.commands.options import PATH
from edgeseg.runtime.model.embedded import sha256

if TYPE_CHECKING:
    from edgeseg.devices.types import Json
    from edgeseg.runtime.accuracy.counts import Counts
    from edgeseg.runtime.accuracy.dataset import Dataset
    from edgeseg.runtime.accuracy.matching import MatchedLabels

FLOAT, INT8 = "TFLite float32", "TFLite int8"
_THREADS = 2
_EVERY = 25  # pictures between two lines of progress
_WARM_UP = 2


def open_engines(
    files: dict[str, Path], cache: Path, stack: ExitStack
) -> dict[str, Segmenter]:
    """Open every file in everything that runs it, by name.

    Parameters
    ----------
    files : dict of str to Path
        From `make_files`.
    cache : Path
        Folder for OpenVINO's environment.
    stack : ExitStack
        Closes them.
    """
    opened: dict[str, Segmenter] = {}
    for name, path in files.items():
        engine = "TFLite" if path.suffix == ".tflite" else "ONNX Runtime"
        one = stack.enter_context(Segmenter.open(path, threads=_THREADS))
        opened[f"{engine} {name}"] = one
        if path.suffix == ".onnx":
            source, result = one.device.inputs[0], one.device.outputs[0]
            device = OpenVinoDevice(path, source, result, threads=_THREADS, cache=cache)
            beside = stack.enter_context(Segmenter(device, one.manifest))
            opened[f"OpenVINO {name}"] = beside
    return opened


class Race:
    """Engines that answer the same pictures in turns.

    Parameters
    ----------
    engines : dict of str to Segmenter
        Open, with the same classes.
    matched : MatchedLabels
        What ids count as.
    """

    def __init__(self, engines: dict[str, Segmenter], matched: MatchedLabels) -> None:
        self._engines, self._matched = engines, matched
        self._count = CountTruth(matched)
        self._beside: dict[tuple[str, str], list[Counts]] = {}
        self._ms: dict[str, list[float]] = {name: [] for name in engines}

    def run(self, dataset: Dataset, limit: int | None) -> None:
        """Answer and count all pictures, or the first of them."""
        names = dataset.ids[:limit]
        first = dataset.picture(names[0])
        for one in self._engines.values():
            for _ in range(_WARM_UP):
                Answer(one, first)
        for done, picture in enumerate(pictures_with_truth(dataset, names), 1):
            answers = {}
            for name, one in self._engines.items():
                start = time.perf_counter()
                answers[name] = Answer(one, picture.frame)
                spent = 1000 * (time.perf_counter() - start)
                self._ms[name].append(spent - getattr(one.device, "extra_ms", 0.0))
            for other in (FLOAT, INT8):
                for name, answer in answers.items():
                    counts = self._count(picture, [answers[other], answer])
                    self._beside.setdefault((other, name), []).append(counts)
            if done % _EVERY == 0:
                say(f"{done} of {len(names)} pictures")

    def rows(self) -> list[Json]:
        """Return a row an engine."""
        import numpy as np

        counts = {name: self._accuracy(name).by_class for name in self._engines}
        chosen = self._matched.chosen
        own_ms = np.array(self._ms[INT8])
        rows = []
        for name, spent in self._ms.items():
            row: Json = {
                "engine": name,
                "miou": self._accuracy(name).own.miou,
                "median_ms": round(float(np.median(spent)), 2),
                "times_int8_tflite": round(float(np.median(spent / own_ms)), 3),
            }
            for key, other in (("float_tflite", FLOAT), ("int8_tflite", INT8)):
                if other == name:
                    continue
                lost = paired_bootstrap(counts[other], counts[name], chosen)
                row[f"{key}_minus_this"] = asdict(lost)
                counted = tuple(self._beside[other, name])
                row[f"agreement_with_{key}"] = flips_of(counted).agreement
            rows.append(row)
        return rows

    def _accuracy(self, name: str) -> Accuracy:
        return Accuracy(
            labels=self._matched.labels,
            chosen=self._matched.chosen,
            model_labels=self._engines[name].manifest.labels,
            network_hw=self._engines[name].input_hw,
            pictures=tuple(self._beside[FLOAT, name]),
        )


@click.command()
@click.argument("dataset", type=PATH)
@click.argument("calibration", type=PATH)
@click.argument("record", type=PATH)
@click.argument("models", nargs=-1, required=True, metavar="MODEL[=LABELS]...")
@scoring_options
@click.option("--limit", type=click.IntRange(1), help="Take the first N pictures.")
@click.option("--cache", type=PATH, help="Folder that keeps OpenVINO's environment.")
def main(
    dataset: Path,
    calibration: Path,
    record: Path,
    models: tuple[str, ...],
    *,
    split: str,
    classes: str,
    limit: int | None,
    cache: Path | None,
    note: str,
) -> None:
    """Score and time both forms of int8 ONNX beside int8 TFLite and float."""
    data = open_dataset(dataset, split)
    matching = matching_of(classes)
    rows: list[Json] = []
    for text in models:
        path, _, labels = text.partition("=")
        load_before = os.getloadavg()[0]
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            files = make_files(path, labels or None, calibration, Path(folder), say)
            engines = open_engines(files, cache or Path(folder), stack)
            race = Race(engines, match_model(engines[INT8], data, matching))
            race.run(data, limit)
            row: Json = {
                "model": Path(path).name,
                "bytes": {name: file.stat().st_size for name, file in files.items()},
                "sha256": {name: sha256(file) for name, file in files.items()},
                "input_hw": list(engines[INT8].input_hw),
                "engines": race.rows(),
                "versions": {n: e.device.describe() for n, e in engines.items()},
                "load_average": {"before": load_before, "after": os.getloadavg()[0]},
            }
        rows.append(row)
        values = {
            "models": rows,
            "dataset": f"{dataset.name}/{split}",
            "images": len(data.ids[:limit]),
            "classes": classes.split(","),
            "protocol": "one confusion matrix, void dropped, own size, other classes "
            "merged into background; paired bootstrap over images, 95 %; a picture's "
            "preprocessing and inference timed, engines in turns, ratios by picture, "
            "2 threads",
            "machine": machine(),
            "note": note,
        }
        write_record(record, values)
        for each in row["engines"]:
            click.echo(_line(row["model"], each))


def _line(model: str, row: Json) -> str:
    kept = row.get("agreement_with_int8_tflite", 1.0)
    return (
        f"{model:24} {row['engine']:36} mIoU {100 * row['miou']:.2f} %  {kept:.2%} of "
        f"int8 TFLite's labels  {row['median_ms']:.1f} ms (x{row['times_int8_tflite']})"
    )


if __name__ == "__main__":
    main()
