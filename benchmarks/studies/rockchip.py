"""What Rockchip's simulator answers to pictures with truth, beside float and our int8.

``python -m edgeseg.benchmarks.studies.rockchip DATASET CALIBRATION RECORD.json
MODEL[=LABELS] ...`` makes of every Keras MODEL the files of
`edgeseg.benchmarks.studies.qdq`, compiles both forms of int8 ONNX with rknn-toolkit2,
and adds a row to the record. With ``--photos`` the toolkit's own quantizer makes one
network more, of the float ONNX file. The toolkit is found as `edgeseg compile --device
rk3588` finds it.

Run from a checkout; see `edgeseg.benchmarks.studies`.
"""

from __future__ import annotations

import json
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeseg.benchmarks.record import write_record
from edgeseg.benchmarks.studies.conversions import machine
from edgeseg.benchmarks.studies.qdq_files import make_files
from edgeseg.benchmarks.studies.recorded import answers_of, figures_of, recorded_like
from edgeseg.benchmarks.studies.scoring_options import (
    matching_of,
    say,
    scoring_options,
)
from edgeseg.converter.calibration.calibrate import (
    CalibrationTensors,
    calibration_pictures,
)
from edgeseg.converter.compilation.answers import read_answers
from edgeseg.converter.compilation.compile import COMPILERS
from edgeseg.converter.compilation.pixels import pixels_of
from edgeseg.converter.compilation.program import run_program
from edgeseg.converter.compilation.rockchip.job import write_job
from edgeseg.converter.compilers.rockchip import WORKER, check_ended, read_layers
from edgeseg.converter.conversion.onnx_export import to_onnx
from edgeseg.devices.rknn_file import read_rknn
from edgeseg.runtime import Segmenter
from edgeseg.runtime.accuracy.evaluation import evaluate_pair
from edgeseg.runtime.accuracy.open import open_dataset
from edgeseg.runtime.commands.options import PATH
from edgeseg.runtime.model.embedded import (
    onnx_with_manifest,
    stored_manifest,
    without_manifest,
)

if TYPE_CHECKING:
    from edgeseg.devices.types import Array, Json
    from edgeseg.runtime.accuracy.dataset import Dataset
    from edgeseg.runtime.accuracy.matching import Matching

FLOAT, INT8 = "float32", "int8"
FORMS = ("int8 zero points", "int8 symmetric")
_OWN = "Rockchip's own quantizer"
_TIMEOUT_S = 7200.0


def simulate(
    network: Path, chip: str, dataset: Dataset, calibration: Array | None
) -> tuple[list[Array], list[Array], Json]:
    """Compile a network, and answer every picture in the simulator.

    Parameters
    ----------
    network : Path
        An ``.onnx`` file, alone in its folder.
    chip : str
        Such as ``"rk3588"``.
    dataset : Dataset
        The pictures.
    calibration : ndarray or None
        Pixels ``(N, H, W, 3)`` uint8 for the toolkit's own quantizer.

    Returns
    -------
    answers, onnx : list of ndarray
        ``(h, w, C)`` of the simulator, and of the file in ONNX Runtime.
    row : dict
        ``layers`` and ``bytes`` of the result, the ``toolkit``'s version, and
        ``seconds``, JSON values.
    """
    import numpy as np

    folder = network.parent
    job = write_job(network, chip, [dataset.picture(name) for name in dataset.ids])
    if calibration is not None:
        np.save(folder / "calibration.npy", calibration)
    begin = time.monotonic()
    python = COMPILERS.load("rockchip")().find()
    ended = run_program([python, str(WORKER), str(folder)], _TIMEOUT_S, "the toolkit")
    check_ended(ended, folder / "answers.npy")
    made = read_answers(folder / "answers.npy", "the simulator").transpose(0, 2, 3, 1)
    layers = [
        [row.op, row.status, row.count, "NPU" if row.mapped else "CPU"]
        for row in read_layers(ended.printed)
    ]
    row: Json = {
        "layers": layers,
        "bytes": (folder / "made.rknn").stat().st_size,
        "toolkit": read_rknn(folder / "made.rknn").version,
        "seconds": round(time.monotonic() - begin),
    }
    return list(made), list(job.answers), row


def row_of(
    files: dict[str, Path],
    chip: str,
    dataset: Dataset,
    matching: Matching,
    photos: Path | None,
    forms: tuple[str, ...] = FORMS,
) -> Json:
    """Simulate each form of a network, and score them all; see `simulate`.

    Parameters
    ----------
    files : dict of str to Path
        From `make_files`.
    chip : str
        What to compile for.
    dataset : Dataset
        Pictures with truth.
    matching : Matching
        Which classes count.
    photos : Path or None
        For the toolkit's own quantizer; None leaves that out.
    forms : tuple of str
        Which forms of int8 ONNX.
    """
    row: Json = {"forms": {}, "accuracy": {}}
    with ExitStack() as stack:
        opened = {
            name: stack.enter_context(Segmenter.open(files[name], threads=1))
            for name in (FLOAT, INT8)
        }
        plain = opened[FLOAT]
        networks = {
            name: recorded_like(one, dataset, answers_of(one, dataset))
            for name, one in opened.items()
        }
        sources: dict[str, tuple[bytes, Array | None]] = {
            form: (files[form].read_bytes(), None) for form in forms
        }
        if photos is not None:
            sources[_OWN] = (_float_onnx(files[FLOAT]), _pixels(plain, photos))
        for form, (content, calibration) in sources.items():
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            (folder / "model.onnx").write_bytes(content)
            made, onnx, described = simulate(
                folder / "model.onnx", chip, dataset, calibration
            )
            say(f"{form}: {json.dumps(described)[:200]}")
            row["forms"][form] = described
            networks[f"{form} in the simulator"] = recorded_like(plain, dataset, made)
            networks[f"{form} in ONNX Runtime"] = recorded_like(plain, dataset, onnx)
        pairs = [(FLOAT, name) for name in networks if name != FLOAT]
        pairs += [(INT8, name) for name in networks if name.endswith("simulator")]
        pairs += [
            (f"{form} in ONNX Runtime", f"{form} in the simulator") for form in forms
        ]
        for one, other in dict.fromkeys(pairs):
            paired = evaluate_pair(
                networks[one], networks[other], dataset, matching=matching
            )
            row["accuracy"][f"{one} against {other}"] = figures_of(paired)
    return row


def _float_onnx(model: Path) -> bytes:
    manifest = stored_manifest(model)
    content = to_onnx(without_manifest(model.read_bytes()))
    return content if manifest is None else onnx_with_manifest(content, manifest)


def _pixels(segmenter: Segmenter, photos: Path) -> Array:
    import numpy as np

    chosen = calibration_pictures(photos).paths
    tensors = CalibrationTensors(segmenter, chosen)
    return np.concatenate([pixels_of(t, segmenter.manifest) for t in tensors])


@click.command()
@click.argument("dataset", type=PATH)
@click.argument("calibration", type=PATH)
@click.argument("record", type=PATH)
@click.argument("models", nargs=-1, required=True, metavar="MODEL[=LABELS]...")
@click.option("--chip", default="rk3588", show_default=True)
@click.option(
    "--form",
    "forms",
    type=click.Choice(FORMS),
    multiple=True,
    default=FORMS,
    help="A form of int8 ONNX, given once for each.  [default: both]",
)
@click.option("--photos", type=PATH, help="For the toolkit's own quantizer.")
@scoring_options
def main(
    dataset: Path,
    calibration: Path,
    record: Path,
    models: tuple[str, ...],
    *,
    chip: str,
    forms: tuple[str, ...],
    photos: Path | None,
    split: str,
    classes: str,
    note: str,
) -> None:
    """Score what Rockchip's simulator answers; add a row a model to the record."""
    data = open_dataset(dataset, split)
    rows = json.loads(record.read_text("utf-8"))["models"] if record.is_file() else {}
    for text in models:
        path, _, labels = text.partition("=")
        with tempfile.TemporaryDirectory() as folder:
            files = make_files(path, labels or None, calibration, Path(folder), say)
            row = row_of(files, chip, data, matching_of(classes), photos, forms)
        rows[Path(path).stem] = {"chip": chip, **row}
        write_record(
            record,
            {
                "models": rows,
                "dataset": f"{dataset.name}/{split}",
                "classes": classes.split(","),
                "machine": machine(),
                "note": note,
            },
        )


if __name__ == "__main__":
    main()
