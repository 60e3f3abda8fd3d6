"""What `check` predicts for the Ethos-U, operator by operator, beside Vela's answer.

``python -m edgeseg.benchmarks.studies.ethos_u.compare RECORD.json MODEL|FOLDER ...``
compiles each ``.tflite`` file for an Ethos-U65-512 and a U85-512 and adds a row to the
record, under the file's name; rows that are there stay.

Run from a checkout with the extra ``ethos-u``; see `edgeseg.benchmarks.studies`.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.benchmarks.record import write_record
from edgeseg.benchmarks.studies.conversions import machine
from edgeseg.converter.compilation.compile import COMPILERS
from edgeseg.converter.compilation.contract import Request
from edgeseg.converter.compilation.program import run_program
from edgeseg.converter.isolation.folder import temporary_folder
from edgeseg.devices import EdgesegError, ModelError
from edgeseg.devices.placement import check_model

if TYPE_CHECKING:
    from edgeseg.converter.compilation.contract import Answer
    from edgeseg.devices.types import Json

CHIPS = ("65-512", "85-512")
_TIMEOUT_S = 900.0


def compare(model: Path, chip: str) -> Json:
    """Return prediction and answer for one model.

    Parameters
    ----------
    model : Path
        A ``.tflite`` file.
    chip : str
        Such as ``"65-512"``.

    Returns
    -------
    dict
        JSON values: ``operators``, ``mapped`` (by Vela), ``predicted`` (to be mapped),
        ``differ`` (operators that were placed elsewhere than predicted),
        ``milliseconds``, ``sram_kib``, ``dram_kib`` (Vela's estimate), ``version`` and
        ``seconds``; or ``error``, in the words of whoever refused.
    """
    try:
        predicted = check_model(model, f"ethos-u{chip}")
    except ModelError as error:
        return {"error": str(error).replace(str(model), model.name)}
    row: Json = {
        "operators": len(predicted.operators),
        "predicted": sum(op.placement == "ethosu" for op in predicted.operators),
    }
    begin = time.monotonic()
    try:
        answer = _compile(model, chip)
    except EdgesegError as error:
        return {**row, "error": f"vela: {error}"}
    pairs = zip(predicted.operators, answer.operators, strict=True)
    row |= {
        "mapped": answer.mapped,
        "differ": [
            f"{one.title}: predicted {one.placement} ({one.reason}), "
            f"Vela: {other.status or 'mapped'}"
            for one, other in pairs
            if (one.placement == "ethosu") != other.mapped
        ],
        "seconds": round(time.monotonic() - begin, 1),
        "version": answer.version,
    }
    estimate = answer.estimate
    if estimate is not None and answer.mapped:
        row |= {
            "milliseconds": round(estimate.milliseconds, 2),
            "sram_kib": round(estimate.sram_kib),
            "dram_kib": round(estimate.dram_kib),
        }
    return row


def _compile(model: Path, chip: str) -> Answer:
    compiler = COMPILERS.load("ethos_u")()
    with temporary_folder() as folder:
        source = Path(shutil.copy(model, folder / "model.tflite"))
        found: Answer = compiler.compile(
            compiler.find(),
            source,
            Request(chip),
            lambda command: run_program(command, _TIMEOUT_S, compiler.title),
        )
    return found


def main(arguments: list[str]) -> None:
    """Add the rows of the models that are named."""
    path, places = Path(arguments[0]), [Path(text) for text in arguments[1:]]
    models = [
        model
        for place in places
        for model in (sorted(place.rglob("*.tflite")) if place.is_dir() else [place])
    ]
    rows = json.loads(path.read_text("utf-8"))["models"] if path.is_file() else {}
    for model in models:
        row = rows.setdefault(model.stem, {})
        for chip in CHIPS:
            if chip in row:
                continue
            row[chip] = compare(model, chip)
            print(model.stem, chip, json.dumps(row[chip])[:200], file=sys.stderr)
            write_record(path, {"machine": machine(), "models": rows, **_sums(rows)})


def _sums(rows: Json) -> Json:
    """Return how many models were compiled, and how many as predicted throughout."""
    found = [row[chip] for row in rows.values() for chip in row]
    done = [row for row in found if "mapped" in row]
    return {
        "compiled": len(done),
        "as_predicted": sum(not row["differ"] for row in done),
        "operators": sum(row["operators"] for row in done),
        "operators_as_predicted": sum(
            row["operators"] - len(row["differ"]) for row in done
        ),
    }


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    main(sys.argv[1:])
