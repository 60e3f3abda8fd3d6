"""Sony's tools for the IMX500, the sensor of the Raspberry Pi AI Camera.

Two programs in one environment, beside edgeseg's own: they want TensorFlow 2.15. The
Model Compression Toolkit quantizes the float network with the user's photos, and
``imxconv-tf`` lays it out for the sensor: ``packerOut.zip``, from which
``imx500-package`` makes the ``.rpk`` on a Raspberry Pi. Its log ends with::

    2026-11-29 15:12:30.289 INFO : CODE: [OUTPUT] Output is in /tmp/out
    2026-11-29 15:12:45.048 ERROR : CODE: [EXEC] Input file x.keras does not exist

References
----------
"IMX500 Converter", https://developer.aitrios.sony-semicon.com/en/docs/raspberry-pi-ai-camera/imx500-converter
Raspberry Pi, "AI Camera", model deployment,
https://www.raspberrypi.com/documentation/accessories/ai-camera.html
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.converter.calibration.calibrate import calibration_pictures
from edgeseg.converter.compilation.answers import agreement, read_answers
from edgeseg.converter.compilation.contract import Answer, Compiler, Request, Row
from edgeseg.converter.compilation.imx500.network import write_network
from edgeseg.converter.compilation.imx500.proof import check_float
from edgeseg.converter.compilation.imx500.report import read_memory
from edgeseg.converter.compilation.program import how_it_ended, read_made
from edgeseg.devices import ConversionError, InputError, MissingDriverError
from edgeseg.devices.plain_text import one_line, plain, shortened
from edgeseg.runtime import Segmenter
from edgeseg.runtime.pictures.files import read_picture

if TYPE_CHECKING:
    from edgeseg.converter.compilation.contract import Ended, Memory, Run

PROGRAM = "imxconv-tf"
VARIABLE = "EDGESEG_IMXCONV"
_QUANTIZER = "Sony's quantizer"
OLDEST = (3, 19)  # the first whose answers are read here
PACKAGES = "'imx500-converter[tf]' model-compression-toolkit 'tensorflow==2.15.*'"
_HOW_TO_GET = (
    f"{PROGRAM} is not found: python3.11 -m venv imx500 && imx500/bin/pip install "
    f"{PACKAGES}, an environment of its own; then {VARIABLE}=imx500/bin/{PROGRAM}"
)
_NO_JAVA = f"{PROGRAM} needs Java, which is not found: sudo apt install default-jre"
WORKER = Path(__file__).parent.parent / "compilation" / "imx500" / "worker.py"
_VERSION = re.compile(rf"^{PROGRAM} (\d+)\.(\d+)[\w.+]*$", re.MULTILINE)
_ERROR = re.compile(
    r"^.*\bERROR : (?:CODE: \[\w+\] ?)?(.*?)(?: \[/[^\]]*\])?$", re.MULTILINE
)
_RAISED = re.compile(r"^(?:[\w.]*(?:Error|Exception|Exit))(?:: (.*))?$", re.MULTILINE)
_MISSING = re.compile(r"^ModuleNotFoundError: No module named '([\w.]+)'", re.MULTILINE)


class Imx500Compiler(Compiler):
    """Sony's quantizer and converter for the IMX500."""

    title = PROGRAM
    chip = "the IMX500"
    suffix = "_imx500"
    kind = ".zip"
    operator = b""
    options = ("calibration",)

    def find(self) -> str:
        """Return the program; `VARIABLE` names one that is not on PATH."""
        named = os.environ.get(VARIABLE)
        program = shutil.which(named or PROGRAM)
        if program is None and named:
            raise MissingDriverError(
                f"{VARIABLE} names {plain(named)}, which is no program that can be "
                f"started: expected an environment's bin/{PROGRAM}"
            )
        if program is None:
            raise MissingDriverError(_HOW_TO_GET)
        home = os.environ.get("JAVA_HOME")
        if shutil.which("java") is None and not (
            home and shutil.which("java", path=f"{home}/bin")
        ):
            raise MissingDriverError(_NO_JAVA)
        return program

    def compile(self, program: str, source: Path, request: Request, run: Run) -> Answer:
        """Quantize and convert a copy of the model; read report, log and answers."""
        if request.calibration is None:
            raise InputError(
                "--calibration is missing: a folder of at least 32 photos like those "
                "the camera will give, which the quantizer measures"
            )
        version = _version(run([program, "--version"]).printed)
        folder = source.parent
        kinds = write_network(source, folder)
        _write_pictures(source, request.calibration, folder)
        ended = run([python_of(program), str(WORKER), str(folder)])
        _check(ended, _QUANTIZER, folder / "quantized.keras")
        plain = read_answers(folder / "float.npy", _QUANTIZER)
        check_float(plain, read_answers(folder / "answer.npy", _QUANTIZER))
        out = folder / "out"
        command = [program, "-i", str(folder / "quantized.keras"), "-o", str(out)]
        ended = run([*command, "--no-input-persistency"])
        memory = read_memory(out) if out.is_dir() else None
        if memory is not None and not memory.fits:
            raise ConversionError(_too_large(memory))
        _check(ended, PROGRAM, out / "packerOut.zip")
        if memory is None:
            raise ConversionError("it wrote no memory report")
        rows = tuple(
            Row(kind, kinds.count(kind), "", True) for kind in dict.fromkeys(kinds)
        )
        return Answer(
            read_made(out / "packerOut.zip", self.title),
            f"{version}, {_tools(folder)}",
            rows,
            memory=memory,
            agreement=agreement(
                plain,
                read_answers(folder / "quantized.npy", _QUANTIZER),
                made_of="the float network",
                pictures="the calibration photos",
            ),
            agreement_text="the float network's classes on calibration photos",
        )


def _write_pictures(source: Path, photos: Path, folder: Path) -> None:
    """Write what the network sees of the photos, and its own first answer."""
    import numpy as np

    chosen = calibration_pictures(photos).paths
    with Segmenter.open(source) as segmenter:
        tensors = [segmenter.tensor(read_picture(path)) for path in chosen]
        np.save(folder / "pictures.npy", np.concatenate(tensors))
        np.save(folder / "answer.npy", segmenter.infer(tensors[0]))


def python_of(program: str) -> str:
    """Return the interpreter of the environment that a program is in."""
    real = Path(program).resolve()
    for name in ("python", "python3"):
        if (real.parent / name).exists():
            return str(real.parent / name)
    raise MissingDriverError(
        f"{program} has no python beside it: {VARIABLE} must name the {PROGRAM} of a "
        "virtual environment"
    )


def _version(printed: str) -> str:
    """Return the converter's version; raise where it is not one that is known."""
    found = _VERSION.search(printed)
    if found is None or (int(found[1]), int(found[2])) < OLDEST:
        said = shortened(plain(printed.strip()), 60) or "not told"
        raise ConversionError(
            f"its version is {said}: expected {OLDEST[0]}.{OLDEST[1]} or later, "
            f"pip install -U {PACKAGES} in its environment"
        )
    return found[0].removeprefix(f"{PROGRAM} ")


def _check(ended: Ended, who: str, made: Path) -> None:
    """Raise unless a program has ended well and left its file."""
    if ended.code == 0 and made.is_file():
        return
    missing = _MISSING.search(ended.printed)
    if missing is not None:
        raise MissingDriverError(
            f"the environment of {PROGRAM} lacks {missing[1]}: pip install {PACKAGES} "
            "there"
        )
    said = _ERROR.findall(ended.printed) or _RAISED.findall(ended.printed)
    told = [text.strip() for text in said if text.strip()]
    reason = shortened(plain(told[-1]), 200) if told else "it made no file"
    if ended.code != 0:
        how = how_it_ended(ended.code)
        reason = f"{reason} ({how})" if told else f"it {how}"
    raise ConversionError(f"{who}: {reason}")


def _too_large(memory: Memory) -> str:
    return (
        f"the network needs {memory.used_kib:.0f} KiB of the sensor's "
        f"{memory.available_kib:.0f} ({memory.weights_kib:.0f} for weights, "
        f"{memory.activations_kib:.0f} for activations): convert with a smaller --size"
    )


def _tools(folder: Path) -> str:
    try:
        found = json.loads((folder / "tools.json").read_text("utf-8"))
        return ", ".join(f"{name} {found[name]}" for name in sorted(found))
    except (OSError, ValueError, TypeError) as error:
        raise ConversionError(
            f"{_QUANTIZER} did not say its version ({one_line(error)})"
        ) from error


PLUGIN = Imx500Compiler
