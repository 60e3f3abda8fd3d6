"""Google's ``edgetpu_compiler``: for Debian on x86-64 alone, last released in 2021.

Its log lists ``Operator  Count  Status``, one row for each name and status::

    Edge TPU Compiler version 16.0.384591198

    Number of Edge TPU subgraphs: 1
    Total number of operations: 72

    Operator                       Count      Status

    CONV_2D                        36         Mapped to Edge TPU
    ARG_MAX                        1          Operation not supported

Older ones print the table without the numbers above it, newer ones wrap it in lines on
their own progress; only rows of that form are read.

References
----------
"Edge TPU Compiler", https://coral.ai/docs/edgetpu/compiler/
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.converter.compilation.contract import Answer, Compiler, Request, Row
from edgeseg.converter.compilation.program import how_it_ended, read_made
from edgeseg.devices import ConversionError, MissingDriverError

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.converter.compilation.contract import Run

PROGRAM = "edgetpu_compiler"
_HOW_TO_GET = (
    f"{PROGRAM} is not installed: on x86-64 Debian or Ubuntu add Google's repository "
    "'deb https://packages.cloud.google.com/apt coral-edgetpu-stable main' and "
    "apt install edgetpu-compiler (no other architecture has it); what it would map is "
    "told by edgeseg check --device coral"
)
_MAPPED = "Mapped to Edge TPU"
_VERSION = re.compile(r"Edge TPU Compiler version (\S+)")
_ROW = re.compile(r"^([A-Za-z][\w-]*)[ \t]+(\d+)[ \t]+(\S.*?)[ \t]*$", re.MULTILINE)
_FAILURES = (
    re.compile(r"^(Compilation failed:.*)$", re.MULTILINE),
    re.compile(r"^ERROR: (?!Restored original execution plan)(.*)$", re.MULTILINE),
    re.compile(r"^(Internal compiler error.*)$", re.MULTILINE),
    re.compile(r"^(Invalid model.*)$", re.MULTILINE),
    re.compile(r"^(Compilation failed!)", re.MULTILINE),
)
# What the compiler means, and what helps
_MEANINGS = (
    (
        "large activation tensors",
        "take smaller pictures (edgeseg convert --size) or the head logits-stride",
    ),
    (
        "Didn't find op for builtin opcode",
        "the compiler is older than the operator: its last version is of 2021",
    ),
    (
        "not quantized",
        "convert with --recipe int8 first",
    ),
)


class EdgeTpuCompiler(Compiler):
    """Google's compiler for the Edge TPU."""

    title = PROGRAM
    chip = "the Edge TPU"
    suffix = "_edgetpu"
    operator = b"edgetpu-custom-op"
    options = ("min_runtime",)
    advice = "edgeseg check --device coral says what to change"

    def find(self) -> str:
        """Return the program."""
        program = shutil.which(PROGRAM)
        if program is None:
            raise MissingDriverError(_HOW_TO_GET)
        return program

    def compile(self, program: str, source: Path, request: Request, run: Run) -> Answer:
        """Compile ``source`` and read the log."""
        folder = source.parent
        command = [program, "-s", "-o", str(folder)]
        if request.min_runtime is not None:
            command += ["-m", str(request.min_runtime)]
        ended = run([*command, str(source)])
        log = _log(ended.printed, folder / f"{source.stem}{self.suffix}.log")
        made = folder / f"{source.stem}{self.suffix}.tflite"
        if ended.code != 0 or not made.is_file():
            reason = f"it {how_it_ended(ended.code)} and made no file"
            raise ConversionError(log.failure or reason)
        return Answer(read_made(made, self.title), log.version, log.rows)


def _log(printed: str, file: Path) -> CompilerLog:
    """Return what was printed, or the log file where no table was printed."""
    log = parse_log(printed)
    if log.rows or not file.is_file():
        return log
    written = parse_log(file.read_text("utf-8", "replace"))
    return CompilerLog(log.version or written.version, written.rows, log.failure)


@dataclass(frozen=True)
class CompilerLog:
    """The output of the compiler, parsed.

    Parameters
    ----------
    version : str
        Of the compiler; empty where it did not say.
    rows : tuple of Row
        Its table.
    failure : str
        Why nothing was made, and what helps; empty where it did not say.
    """

    version: str
    rows: tuple[Row, ...]
    failure: str = ""

    @property
    def mapped(self) -> int:
        """How many operators the Edge TPU runs."""
        return sum(row.count for row in self.rows if row.mapped)

    @property
    def operators(self) -> int:
        """How many operators there are."""
        return sum(row.count for row in self.rows)


def parse_log(text: str) -> CompilerLog:
    """Return what a compiler's output says.

    Parameters
    ----------
    text : str
        What it printed, or its log file.

    Examples
    --------
    >>> log = parse_log("CONV_2D   3   Mapped to Edge TPU")
    >>> log.mapped, log.operators
    (3, 3)
    """
    version = _VERSION.search(text)
    return CompilerLog(
        version="" if version is None else version[1],
        rows=tuple(
            Row(m[1], int(m[2]), m[3], m[3].startswith(_MAPPED))
            for m in _ROW.finditer(text)
        ),
        failure=_failure(text),
    )


def _failure(text: str) -> str:
    found = next((m for m in (p.search(text) for p in _FAILURES) if m), None)
    if found is None:
        return ""
    what = found[1].strip()
    helps = next((hint for words, hint in _MEANINGS if words in what), "")
    return f"{what.rstrip('.')}; {helps}" if helps else what


PLUGIN = EdgeTpuCompiler
