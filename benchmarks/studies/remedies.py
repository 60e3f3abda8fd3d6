"""Which quantization settings keep most labels: the choice of the recipe, in figures.

``python -m edgeseg.benchmarks.studies.remedies SHARED RECORD.json [CASE ...]``
quantizes the public VOC weights with each setting and compares with float on *training*
pictures that have VOC's own masks and are not among the calibration photos. Label
agreement is what the settings were chosen by: it moves by hundredths where mIoU moves
by tenths.

Run from a checkout; see `edgeseg.benchmarks.studies`.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.benchmarks.record import write_record
from edgeseg.benchmarks.studies.conversions import CASES, SEVEN, ConversionCase, machine
from edgeseg.converter.calibration.calibrate import CalibrationTensors
from edgeseg.converter.conversion.float_model import make_float_model
from edgeseg.converter.conversion.packaging import Packaging
from edgeseg.converter.conversion.pictures import choose_pictures
from edgeseg.converter.conversion.request import Request
from edgeseg.converter.quantization.quantize import Quantization
from edgeseg.converter.quantization.ranges import measure
from edgeseg.converter.recipes import load_recipe
from edgeseg.runtime import Overrides
from edgeseg.runtime.accuracy.evaluation import evaluate_pair
from edgeseg.runtime.accuracy.matching import Matching
from edgeseg.runtime.accuracy.open import open_dataset
from edgeseg.runtime.model.embedded import sha256

if TYPE_CHECKING:
    from edgeseg.converter.recipes import Recipe
    from edgeseg.devices.types import Json

_CHOSEN_ON = ("voc-a0.5-257", "voc-a1.0-513")
_EVERY = 2  # of the training pictures


def settings() -> dict[str, Recipe]:
    """Return the settings that are compared; the last is the recipe ``int8``."""
    ours = load_recipe("int8")
    plain = tuple(
        {**rule, "algorithm_key": "min_max_uniform_quantize"} for rule in ours.rules
    )
    nearest = dataclasses.replace(ours, rounding=False)
    return {
        "min-max weights, extreme ranges": dataclasses.replace(
            nearest, rules=plain, ranges="extremes"
        ),
        "min-max weights, central ranges": dataclasses.replace(nearest, rules=plain),
        "OCTAV weights, extreme ranges": dataclasses.replace(
            nearest, ranges="extremes"
        ),
        "OCTAV weights, central ranges": nearest,
        "rounding for inputs, bias correction, extreme ranges": dataclasses.replace(
            ours, ranges="extremes"
        ),
        "rounding for inputs, bias correction, central ranges (int8)": ours,
    }


def compare_settings(case: ConversionCase, shared: Path) -> Json:
    """Return agreement and drop of each setting for one model, as JSON values."""
    voc = shared / "data" / "voc-animals"
    request = Request(
        model=shared / "models" / "keras" / case.model,
        calibration=voc / "calibration" / "JPEGImages",
        overrides=Overrides(labels=case.labels),
        loading=case.loading,
    )
    subjects = choose_pictures(request)
    assert subjects.calibration is not None
    model = make_float_model(request, subjects, _tell)
    finish = Packaging(model.manifest)
    dataset = open_dataset(voc / "train-320", "train_voc_border")
    calibration = {path.stem for path in (voc / "calibration/JPEGImages").iterdir()}
    names = [name for name in dataset.ids if name not in calibration][::_EVERY]
    rows = {}
    with finish.open_float(model.content) as reference:
        tensors = CalibrationTensors(reference, subjects.calibration.paths)
        ranges = measure(model.content, tensors)
        for name, recipe in settings().items():
            _tell(name)
            content = Quantization(model.content, recipe, ranges).make()
            with finish.open_quantized(content) as result:
                paired = evaluate_pair(
                    reference, result, dataset, names=names, matching=Matching(SEVEN)
                )
            rows[name] = {
                "agreement": paired.agreement,
                "drop": dataclasses.asdict(paired.drop),
                "reference_miou": paired.reference.miou,
            }
    return {"settings": rows, "pictures": len(names), "sha256": sha256(request.model)}


def _tell(line: str) -> None:
    print(line, file=sys.stderr)


def main(arguments: list[str]) -> None:
    """Run the cases that are named, or both, and write the record."""
    shared, target, *chosen = arguments
    record = {
        "machine": machine(),
        "dataset": "voc-animals/train-320, split train_voc_border without the "
        f"calibration ids, every {_EVERY}nd one, 7 classes",
        "models": {
            name: compare_settings(CASES[name], Path(shared))
            for name in chosen or _CHOSEN_ON
        },
    }
    write_record(Path(target), record)


if __name__ == "__main__":
    main(sys.argv[1:])
