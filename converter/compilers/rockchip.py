"""Rockchip's rknn-toolkit2 for the NPUs of RK3562, RK3566, RK3568, RK3576 and RK3588.

A Python package in an environment of its own, beside edgeseg's: it wants older
packages. It takes an ``.onnx`` file with int8 steps (edgeseg's own quantization, no
photos needed), and has a simulator of the chip. While it builds it prints its layers::

    D RKNN: [18:48:11.870] 60   Resize   INT8     NPU    (1,256,25,25),(1)   ...
    D RKNN: [18:48:11.870] 67   Conv     FLOAT16  NPU    (1,96,97,97),(7,96,1,1) ...

and what it cannot do is a line such as ``E build: ...``, or the end of a traceback.

References
----------
Rockchip, "RKNN Toolkit2", https://github.com/airockchip/rknn-toolkit2
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.converter.compilation.answers import agreement, read_answers
from edgeseg.converter.compilation.contract import Answer, Compiler, Request, Row
from edgeseg.converter.compilation.program import how_it_ended, read_made
from edgeseg.converter.compilation.rockchip.job import MADE_BY, write_job
from edgeseg.converter.conversion.pictures import sample_views
from edgeseg.devices import ConversionError, MissingDriverError, ModelError
from edgeseg.devices.onnx import is_quantized
from edgeseg.devices.plain_text import plain, shortened
from edgeseg.devices.rknn_file import parse_rknn

if TYPE_CHECKING:
    from edgeseg.converter.compilation.contract import Ended, Run

PACKAGE = "rknn-toolkit2"
VARIABLE = "EDGESEG_RKNN"
OLDEST = (2, 5)  # the first whose answers are read here
_PACKAGES = f"{PACKAGE} 'setuptools<81'"
_HOW_TO_GET = (
    f"{PACKAGE} is not found: python3.11 -m venv rknn && rknn/bin/pip install "
    f"{_PACKAGES}, an environment of its own of 6 GB; then {VARIABLE}=rknn"
)
WORKER = Path(__file__).parent.parent / "compilation" / "rockchip" / "worker.py"
_ANSWERS = "the simulator"
_VERSION = re.compile(rf"^{PACKAGE} (\d+)\.(\d+)[\w.+]*$", re.MULTILINE)
_COLOURS = re.compile(r"\x1b\[[\d;]*m")
_LAYER = re.compile(
    r"^D RKNN: \[[\d:.]+\] +\d+ +(\w+) +(\w+) +(NPU|CPU|GPU) +[(\\]", re.MULTILINE
)
_ENDS = ("InputOperator", "OutputOperator")  # no layers: the ways in and out
_ERROR = re.compile(r"^E (?:\w+: )?(\S.*)$", re.MULTILINE)
_RAISED = re.compile(r"^(?:[\w.]*(?:Error|Exception|Exit)): (.*)$", re.MULTILINE)
_MISSING = re.compile(
    r"^(?:ModuleNotFoundError: No module named '([\w.]+)'"
    r"|importlib.metadata.PackageNotFoundError: No package metadata was found for "
    r"([\w-]+))",
    re.MULTILINE,
)


class RockchipCompiler(Compiler):
    """Rockchip's toolkit."""

    title = PACKAGE
    chip = "a Rockchip NPU"
    suffix = "_rknn"
    takes = ".onnx"
    kind = ".rknn"
    operator = b""
    made_by = MADE_BY

    def find(self) -> str:
        """Return the Python of the toolkit's environment; `VARIABLE` names that."""
        named = os.environ.get(VARIABLE)
        if named is None and importlib.util.find_spec("rknn") is not None:
            return sys.executable
        if named is None:
            raise MissingDriverError(_HOW_TO_GET)
        for python in (Path(named, "bin", "python"), Path(named)):
            if python.is_file() and shutil.which(python) is not None:
                return str(python)
        raise MissingDriverError(
            f"{VARIABLE} names {plain(named)}, which has no bin/python that can be "
            "started: expected the folder of a virtual environment"
        )

    def compile(self, program: str, source: Path, request: Request, run: Run) -> Answer:
        """Compile a copy of the model, and compare what the simulator answers."""
        version = _version(run([program, str(WORKER), "--version"]))
        if not is_quantized(source.read_bytes()):
            raise ConversionError(
                f"it has no int8 steps: expected what {MADE_BY} writes"
            )
        job = write_job(source, request.unit, sample_views())
        folder = source.parent
        ended = run([program, str(WORKER), str(folder)])
        check_ended(ended, folder / "answers.npy")
        content = read_made(folder / "made.rknn", self.title)
        _check_made(content, request.unit)
        answers = read_answers(folder / "answers.npy", _ANSWERS)
        share = agreement(
            job.answers,
            answers.transpose(0, 2, 3, 1) if answers.ndim == 4 else answers,
            made_of="the file",
            pictures="views of the sample photos",
        )
        return Answer(
            content,
            version,
            read_layers(ended.printed),
            agreement=share,
            agreement_text="the file's classes in the simulator, on views of the "
            "sample photos",
            manifest=job.manifest,
        )


def _version(ended: Ended) -> str:
    """Return the toolkit's version; raise where it is not one that is known."""
    missing = _MISSING.search(ended.printed)
    if missing is not None:
        raise MissingDriverError(
            f"the environment that {VARIABLE} names lacks {missing[1] or missing[2]}: "
            f"pip install {_PACKAGES} there"
        )
    found = _VERSION.search(ended.printed)
    if found is None or (int(found[1]), int(found[2])) < OLDEST:
        said = shortened(plain(ended.printed.strip()), 60) or "not told"
        raise ConversionError(
            f"its version is {said}: expected {OLDEST[0]}.{OLDEST[1]} or later, "
            f"pip install -U {PACKAGE} in its environment"
        )
    return found[0].removeprefix(f"{PACKAGE} ")


def check_ended(ended: Ended, made: Path) -> None:
    """Raise unless the worker has ended well and left its file.

    Raises
    ------
    ConversionError
        It failed; the message has the last reason that was printed.
    MissingDriverError
        Its environment lacks a package.
    """
    if ended.code == 0 and made.is_file():
        return
    printed = _lines(ended.printed)
    missing = _MISSING.search(printed)
    if missing is not None:
        raise MissingDriverError(
            f"the environment of {PACKAGE} lacks {missing[1] or missing[2]}: pip "
            f"install {_PACKAGES} there"
        )
    said = _ERROR.findall(printed) or _RAISED.findall(printed)
    told = [text.strip() for text in said if text.strip()]
    how = how_it_ended(ended.code)
    if not told:
        raise ConversionError(f"it {how} and left no answers")
    raise ConversionError(f"{shortened(plain(told[-1]), 200)} ({how})")


def _check_made(content: bytes, target: str) -> None:
    """Raise unless the result is a file for the chip that was asked for."""
    try:
        chips = parse_rknn(content, "what it made").chips
    except ModelError as error:
        raise ConversionError(str(error)) from error
    if target not in chips:
        named = shortened(plain(", ".join(chips)), 60)
        raise ConversionError(f"what it made is for {named}, not {target}")


def read_layers(printed: str) -> tuple[Row, ...]:
    """Return the layers of the table that the toolkit prints, by kind and place.

    Parameters
    ----------
    printed : str
        All that it printed.

    Raises
    ------
    ConversionError
        There is no such table.
    """
    found = _LAYER.findall(_lines(printed))
    counts = Counter(layer for layer in found if layer[0] not in _ENDS)
    if not counts:
        raise ConversionError("it printed no table of layers that is known here")
    return tuple(
        Row(kind, count, dtype.lower(), place == "NPU")
        for (kind, dtype, place), count in counts.items()
    )


def _lines(printed: str) -> str:
    """Return what was printed without colours, progress bars as lines of their own."""
    return _COLOURS.sub("", printed).replace("\r", "\n")


PLUGIN = RockchipCompiler
