"""What conversions cost and keep: time, memory, size, parity, mIoU with intervals.

``python -m edgeseg.benchmarks.studies.conversions SHARED RECORD.json [CASE ...]``
converts the public weights with the defaults of `edgeseg convert`, scores float and
int8 on the split ``val`` over the seven classes that the people-and-animals subset of
PASCAL VOC has in numbers, and writes the record that the README quotes. SHARED holds
``models/keras``, ``data/voc-animals`` and ``data/samples``; ``--xception FILE.h5`` adds
a weights-only Xception-65.

Run from a checkout; see `edgeseg.benchmarks.studies`.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.benchmarks.record import write_record
from edgeseg.converter import Conversion, convert
from edgeseg.converter.conversion.request import Scoring
from edgeseg.converter.loading.format import Loading
from edgeseg.runtime import Overrides
from edgeseg.runtime.accuracy.matching import Matching

if TYPE_CHECKING:
    from edgeseg.devices.types import Json

SEVEN = ("background", "cat", "cow", "dog", "horse", "person", "sheep")
# Of a conversion's details: what a record keeps
_KEPT = (
    "parity",
    "int8_parity",
    "compared_with",
    "operators",
    "activations",
    "sizes",
    "hashes",
    "versions",
    "accuracy",
)


@dataclass(frozen=True)
class ConversionCase:
    """One conversion.

    Parameters
    ----------
    model : str
        File below ``models/keras``, or a path.
    labels : str or None
        Its label set.
    loading : Loading
        How it is loaded.
    scored : bool
        Whether its classes are those of the VOC pictures.
    """

    model: str
    labels: str | None = "pascal-voc"
    loading: Loading = field(default_factory=Loading)
    scored: bool = True


CASES = {
    "voc-a0.5-257": ConversionCase("deeplabv3_mobilenetv2_dm05_voc_os8_257_release.h5"),
    "voc-a1.0-513": ConversionCase("deeplabv3_mobilenetv2_voc_os16_513_release.h5"),
    "voc-a0.5-257-half-pixel": ConversionCase(
        "deeplabv3_mobilenetv2_dm05_voc_os8_257_halfpixel.keras"
    ),
    "ade20k32-a1.0-512": ConversionCase(
        "deeplabv3plus_mobilenetv2_ade20k32_os16_513_release.h5",
        "ade20k-mlperf32",
        Loading(size=(512, 512), resize="legacy"),
        scored=False,
    ),
}


def run_case(case: ConversionCase, shared: Path, output: Path) -> Conversion:
    """Convert, and score where the classes are those of the VOC pictures."""
    voc = shared / "data" / "voc-animals"
    scoring = Scoring(voc / "val", matching=Matching(SEVEN)) if case.scored else None
    return convert(
        shared / "models" / "keras" / case.model,
        calibration=voc / "calibration" / "JPEGImages",
        output=output,
        overrides=Overrides(labels=case.labels),
        loading=case.loading,
        scoring=scoring,
        progress=lambda line: print(line, file=sys.stderr),
    )


def record_of(result: Conversion) -> Json:
    """Return what is kept of a conversion, as JSON values."""
    kept = {key: result.details[key] for key in _KEPT}
    if kept["accuracy"] is not None:
        kept["accuracy"] = {k: v for k, v in kept["accuracy"].items() if k != "worst"}
    return {
        **kept,
        "seconds": round(result.seconds, 1),
        "peak_bytes": result.peak_bytes,
        "calibration_images": result.details["calibration"].get("used"),
    }


def machine() -> Json:
    """Return what the figures were made on."""
    names = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
        if line.startswith("model name")
    ]
    return {
        "processor": names[0] if names else platform.machine(),
        "usable_cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
    }


def main(arguments: list[str]) -> None:
    """Run the cases that are named, or all, and write the record."""
    cases = dict(CASES)
    if "--xception" in arguments:
        place = arguments.index("--xception")
        file = str(Path(arguments[place + 1]).absolute())
        del arguments[place : place + 2]
        loading = Loading(size=(513, 513), output_stride=16)
        cases["xception65-513"] = ConversionCase(file, None, loading, scored=False)
    shared, target, *chosen = arguments
    done = {}
    for name in chosen or cases:
        print(f"== {name}", file=sys.stderr)
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "model.tflite"
            done[name] = record_of(run_case(cases[name], Path(shared), output))
    record = {"machine": machine(), "conversions": done}
    write_record(Path(target), record)


if __name__ == "__main__":
    main(sys.argv[1:])
