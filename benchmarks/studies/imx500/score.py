"""What Sony's quantizer loses on pictures with truth, beside float and edgeseg's int8.

``python -m edgeseg.benchmarks.studies.imx500.score RECORD.json WORK PHOTOS DATASET
EVERY FLOAT.tflite=INT8 ...`` compiles each float file with PHOTOS for calibration in a
folder of WORK, which is kept, answers the pictures of DATASET's ``val`` with the
quantized network in the environment of the tools, scores every EVERY-th of them, and
adds a row to the record, under the float file's name. INT8 is a ``.tflite`` file or the
name of a model that ships.

The tools are found as `edgeseg compile --device imx500` finds them. Run from a
checkout; see `edgeseg.benchmarks.studies`.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.benchmarks.record import write_record
from edgeseg.benchmarks.studies.conversions import machine
from edgeseg.benchmarks.studies.recorded import figures_of, recorded_like
from edgeseg.converter.compilation.compile import COMPILERS
from edgeseg.converter.compilation.contract import Request
from edgeseg.converter.compilation.program import how_it_ended, run_program
from edgeseg.converter.compilers.imx500 import WORKER, python_of
from edgeseg.devices import ConversionError, EdgesegError
from edgeseg.runtime import Segmenter
from edgeseg.runtime.accuracy.evaluation import evaluate_pair
from edgeseg.runtime.accuracy.matching import Matching
from edgeseg.runtime.accuracy.open import open_dataset

if TYPE_CHECKING:
    from edgeseg.devices.types import Array, Json
    from edgeseg.runtime.accuracy.dataset import Dataset

_CLASSES = ("background", "cat", "cow", "dog", "horse", "person", "sheep")
_TIMEOUT_S = 7200.0


def row_of(
    model: Path, int8: str, work: Path, photos: Path, dataset: Dataset, every: int
) -> Json:
    """Compile a float network, and score what came out.

    Parameters
    ----------
    model : Path
        The float ``.tflite`` file.
    int8 : str
        edgeseg's own int8 of the same network.
    work : Path
        Folder that is kept: a quantized network that is there is not made again.
    photos : Path
        To calibrate with.
    dataset : Dataset
        Pictures with truth.
    every : int
        Every how many of them is scored.

    Returns
    -------
    dict
        JSON values: ``memory`` and ``agreement`` as of `Answer`, ``version``,
        ``seconds`` of both tools, and ``accuracy``: for each pair its evaluation.
        Where the network is too large for the sensor, ``error`` in place of ``memory``.
    """
    compiler = COMPILERS.load("imx500")()
    program = compiler.find()
    work.mkdir(parents=True, exist_ok=True)
    row: Json = {}
    if not (work / "quantized.keras").is_file():
        begin = time.monotonic()
        source = Path(shutil.copy(model, work / "model.tflite"))
        shutil.rmtree(work / "out", ignore_errors=True)
        try:
            answer = compiler.compile(
                program,
                source,
                Request(calibration=photos),
                lambda command: run_program(command, _TIMEOUT_S, compiler.title),
            )
            row["memory"] = asdict(answer.memory) if answer.memory else None
            row |= {"agreement": answer.agreement, "version": answer.version}
        except ConversionError as error:
            row["error"] = str(error)
        row["seconds"] = round(time.monotonic() - begin)
        (work / "row.json").write_text(json.dumps(row), "utf-8")
    row = json.loads((work / "row.json").read_text("utf-8"))
    with (
        Segmenter.open(model, threads=1) as plain,
        Segmenter.open(int8, threads=1) as own,
    ):
        sony = recorded_like(plain, dataset, _answers(plain, work, program, dataset))
        matching = Matching(_CLASSES, merge_others=True)

        def pair(reference: Segmenter, candidate: Segmenter) -> Json:
            names = dataset.ids[::every]
            return figures_of(
                evaluate_pair(
                    reference, candidate, dataset, names=names, matching=matching
                )
            )

        row["accuracy"] = {
            "float against imx500": pair(plain, sony),
            "float against int8": pair(plain, own),
            "int8 against imx500": pair(own, sony),
        }
    return row


def _answers(
    plain: Segmenter, work: Path, program: str, dataset: Dataset
) -> list[Array]:
    """Return what the quantized network answers to each picture; kept in the folder."""
    import numpy as np

    pictures, answers = work / "val.npy", work / "answers.npy"
    if not answers.is_file():
        tensors = [plain.tensor(dataset.picture(name)) for name in dataset.ids]
        np.save(pictures, np.concatenate(tensors))
        ended = run_program(
            [
                python_of(program),
                str(WORKER),
                *map(str, (work / "quantized.keras", pictures, answers)),
            ],
            _TIMEOUT_S,
            "the quantized network",
        )
        pictures.unlink()
        if ended.code != 0:
            raise ConversionError(f"the quantized network {how_it_ended(ended.code)}")
    return list(np.load(answers))


def main(arguments: list[str]) -> int:
    """Add the rows of the models that are named."""
    record, work, photos, pictures = map(Path, arguments[:4])
    dataset = open_dataset(pictures, "val")
    rows = json.loads(record.read_text("utf-8"))["models"] if record.is_file() else {}
    every = int(arguments[4])
    for text in arguments[5:]:
        model, _, int8 = text.partition("=")
        name = Path(model).stem
        try:
            row = row_of(Path(model), int8, work / name, photos, dataset, every)
        except EdgesegError as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
        rows[name] = {"model": os.path.basename(model), "int8": int8, **row}
        print(name, json.dumps(row)[:400], file=sys.stderr)
        write_record(record, {"machine": machine(), "models": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
