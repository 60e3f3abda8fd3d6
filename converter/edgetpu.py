"""Compile a model for the Edge TPU with Google's own compiler.

The compiler is a program of its own, for Debian on x86-64 alone, last released in
2021. It is run on a copy of the model, in a folder that is thrown away, under a time
limit; what it made is taken only where something was mapped. The manifest and whatever
else is in the archive at the end of the source go to the end of the result.

The compiler's log lists ``Operator  Count  Status``, one row for each name and status::

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

import contextlib
import io
import os
import re
import shutil
import signal
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.converter.isolation.folder import temporary_folder
from edgeseg.devices import ConversionError, MissingDriverError, ModelError
from edgeseg.devices.archives import DAMAGED, check_methods, open_archive
from edgeseg.devices.litert import read_model
from edgeseg.runtime.model.embedded import append_manifest, sha256, stored_manifest
from edgeseg.runtime.pictures.atomic import check_writable, write_bytes
from edgeseg.runtime.pictures.originals import check_apart
from edgeseg.runtime.pipeline.stopping import stopping_on_signals
from edgeseg.runtime.shipped import find_model, is_shipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeseg.devices.types import Json


PROGRAM = "edgetpu_compiler"
TIMEOUT_S = 600.0
_ENTRY_BYTES = 16 << 20  # a longer entry is no label list and no metadata
# What zipfile raises on an entry that it cannot read
_MARK = b"edgetpu-custom-op"
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


@dataclass(frozen=True)
class Compilation:
    """The result of a compilation.

    Parameters
    ----------
    path : Path
        The file written.
    version : str
        Of the compiler.
    rows : tuple of LogRow
        Operators and their status.
    sha256 : str
        Of the file.
    manifest : bool
        Whether a manifest was carried over.
    """

    path: Path
    version: str
    rows: tuple[LogRow, ...]
    sha256: str
    manifest: bool

    @property
    def mapped(self) -> int:
        """How many operators the Edge TPU runs."""
        return sum(row.count for row in self.rows if row.mapped)

    @property
    def operators(self) -> int:
        """How many operators the source has."""
        return sum(row.count for row in self.rows)

    def to_dict(self) -> Json:
        """Return JSON values."""
        return {
            "path": str(self.path),
            "sha256": self.sha256,
            "compiler": self.version,
            "mapped": self.mapped,
            "operators": self.operators,
            "manifest": self.manifest,
            "rows": [
                {"op": r.op, "count": r.count, "status": r.status, "mapped": r.mapped}
                for r in self.rows
            ],
        }


def compile_model(
    model: Path | str,
    *,
    output: Path | None = None,
    timeout_s: float = TIMEOUT_S,
    min_runtime: int | None = None,
) -> Compilation:
    """Compile a quantized model for the Edge TPU.

    Parameters
    ----------
    model : Path or str
        A ``.tflite`` file, 8-bit throughout, or the name of the model that ships.
    output : Path or None
        The file to write; None puts ``MODEL_edgetpu.tflite`` beside the model, of the
        one that ships into the current folder.
    timeout_s : float
        After so long the compiler and everything it started are killed.
    min_runtime : int or None
        Oldest Edge TPU runtime that must run the file; None leaves it to the compiler.

    Raises
    ------
    MissingDriverError
        The compiler is not installed.
    ModelError
        The file is no TFLite model, or is compiled already.
    ConversionError
        The compiler failed, took too long, or mapped nothing.
    OutputError
        The result cannot be written.
    """
    folder = Path() if is_shipped(model) else Path(model).parent
    model = find_model(model)
    content = read_model(model)
    if _MARK in content:
        raise ModelError(f"{model} is compiled for an Edge TPU already")
    target = output or folder / f"{model.stem}_edgetpu.tflite"
    check_apart(target, model)
    check_writable(target)
    program = shutil.which(PROGRAM)
    if program is None:
        raise MissingDriverError(_HOW_TO_GET)
    manifest = stored_manifest(model)
    log, made = _run(program, model, content, timeout_s, min_runtime)
    compiled = made if manifest is None else append_manifest(made, manifest)
    write_bytes(target, _with_entries_of(model, compiled))
    return Compilation(
        target, log.version, log.rows, sha256(target), manifest is not None
    )


def _with_entries_of(model: Path, compiled: bytes) -> bytes:
    """Return a compiled model with all that the archive behind its source holds."""
    if not zipfile.is_zipfile(model):
        return compiled
    buffer = io.BytesIO(compiled)
    try:
        with (
            open_archive(model) as source,
            zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as target,
        ):
            check_methods(source)
            for entry in source.infolist():
                there = entry.filename in target.namelist()
                if not there and entry.file_size <= _ENTRY_BYTES:
                    target.writestr(entry, source.read(entry))
    except DAMAGED as error:
        raise ModelError(f"the archive behind {model} is damaged: {error}") from error
    return buffer.getvalue()


def _run(
    program: str, model: Path, content: bytes, timeout_s: float, min_runtime: int | None
) -> tuple[CompilerLog, bytes]:
    """Run the compiler in a folder of its own; return its log and what it made."""
    with stopping_on_signals(), temporary_folder() as folder:
        source = folder / "model.tflite"
        source.write_bytes(content)
        command = [program, "-s", "-o", str(folder)]
        if min_runtime is not None:
            command += ["-m", str(min_runtime)]
        code, printed = _output([*command, str(source)], timeout_s)
        log = _log(printed, folder / "model_edgetpu.log")
        made = folder / "model_edgetpu.tflite"
        if code != 0 or not made.is_file():
            reason = log.failure or f"it ended with status {code} and made no file"
            raise ConversionError(f"{PROGRAM} cannot compile {model.name}: {reason}")
        if log.mapped == 0:
            raise ConversionError(
                f"{PROGRAM} mapped none of the {log.operators} operators of "
                f"{model.name} to the Edge TPU, nothing is written: {_why(log)}"
            )
        return log, made.read_bytes()


def _log(printed: str, file: Path) -> CompilerLog:
    """Return what was printed, or the log file where no table was printed."""
    log = parse_log(printed)
    if log.rows or not file.is_file():
        return log
    written = parse_log(file.read_text("utf-8", "replace"))
    return CompilerLog(log.version or written.version, written.rows, log.failure)


def _why(log: CompilerLog) -> str:
    if not log.rows:
        return "its log has no table of operators"
    first = log.rows[0]
    return (
        f"{first.op}: {first.status}; edgeseg check --device coral says what to change"
    )


def _output(command: Sequence[str], timeout_s: float) -> tuple[int, str]:
    """Run a program; on a time-out kill it and all that it started."""
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,  # its own group: it compiles in a child process
    ) as process:
        try:
            printed, _ = process.communicate(timeout=timeout_s)
            return process.returncode, printed
        except subprocess.TimeoutExpired as error:
            raise ConversionError(
                f"{PROGRAM} took over {timeout_s:g} s and was stopped: give --timeout "
                "more, or the model smaller pictures"
            ) from error
        finally:
            with contextlib.suppress(ProcessLookupError):  # all of it ended by itself
                os.killpg(process.pid, signal.SIGKILL)


@dataclass(frozen=True)
class LogRow:
    """A row of the compiler's table: operators of one kind and status.

    Parameters
    ----------
    op : str
        Name in the TensorFlow Lite schema.
    count : int
        How many.
    status : str
        In the compiler's words.
    """

    op: str
    count: int
    status: str

    @property
    def mapped(self) -> bool:
        """Whether the Edge TPU runs them."""
        return self.status.startswith(_MAPPED)


@dataclass(frozen=True)
class CompilerLog:
    """The output of the compiler, parsed.

    Parameters
    ----------
    version : str
        Of the compiler; empty where it did not say.
    rows : tuple of LogRow
        Its table.
    failure : str
        Why nothing was made, and what helps; empty where it did not say.
    """

    version: str
    rows: tuple[LogRow, ...]
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
        rows=tuple(LogRow(m[1], int(m[2]), m[3]) for m in _ROW.finditer(text)),
        failure=_failure(text),
    )


def _failure(text: str) -> str:
    found = next((m for m in (p.search(text) for p in _FAILURES) if m), None)
    if found is None:
        return ""
    what = found[1].strip()
    helps = next((hint for words, hint in _MEANINGS if words in what), "")
    return f"{what.rstrip('.')}; {helps}" if helps else what
