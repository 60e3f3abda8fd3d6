"""Arm's ``vela`` for the Ethos-U, from the package ethos-u-vela.

It puts one custom operator ``ethos-u`` in place of each run of operators that the chip
takes; the others stay, under their own names. Which ones that are is read from the
compiled model; why, from what Vela prints::

    Warning (supported operators) operator: RESIZE_BILINEAR, ofm: 'ResizeBilinear_2'
    Reason: Scaling matches and operation has unsupported scale-factor=16

Its estimate is in ``NAME_summary_SYSTEM.csv``, cycles are in ``NAME_per-layer.csv``,
one row for each operation of the chip, named by the tensor that it writes.

References
----------
"Vela performance estimation summary" and "Vela options" in the documentation of the
package ethos-u-vela, https://pypi.org/project/ethos-u-vela/ .
"""

from __future__ import annotations

import csv
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.converter.compilation.contract import (
    Answer,
    CompiledOperator,
    Compiler,
    Estimate,
    Request,
    Row,
)
from edgeseg.converter.compilation.program import how_it_ended, read_made
from edgeseg.devices import ConversionError, MissingDriverError, ModelError
from edgeseg.devices.placement.reading import read_model_graph
from edgeseg.devices.plain_text import one_line, plain, reason_of, shortened

if TYPE_CHECKING:
    from edgeseg.converter.compilation.contract import Run
    from edgeseg.devices.placement.graph import ModelGraph

PROGRAM = "vela"
OLDEST = (5, 0)  # the first whose answers are read here
_HOW_TO_GET = f"{PROGRAM} is not installed: pip install 'ethos-u-vela>=5'"
_OPERATOR = "ethos-u"
_VERSION = re.compile(r"^(\d+)\.(\d+)[\w.+]*$")
_REFUSED = re.compile(
    r"^Warning \(supported operators\) operator: \S+, ofm: '(.*)'\nReason: (.*)$",
    re.MULTILINE,
)
_FAILURE = re.compile(
    r"^(?:[\w.]*Error|vela: error): *['\"]?(?:Error: )?(.*?)['\"]?$", re.MULTILINE
)


class EthosUCompiler(Compiler):
    """Arm's compiler for the Ethos-U55, U65 and U85."""

    title = PROGRAM
    chip = "the Ethos-U"
    suffix = "_vela"
    operator = b"ethos-u"
    options = ("system_config", "memory_mode")
    advice = "edgeseg check says what to change"

    def find(self) -> str:
        """Return the program; one beside this Python will do without being on PATH."""
        beside = str(Path(sys.executable).parent)
        program = shutil.which(PROGRAM) or shutil.which(PROGRAM, path=beside)
        if program is None:
            raise MissingDriverError(_HOW_TO_GET)
        return program

    def compile(self, program: str, source: Path, request: Request, run: Run) -> Answer:
        """Compile ``source`` and read model, tables and output."""
        version = _version(run([program, "--version"]).printed)
        folder = source.parent / "output"
        chip = f"ethos-u{request.unit}"
        command = [program, "--accelerator-config", chip, "--output-dir", str(folder)]
        if request.system_config:
            command += ["--system-config", request.system_config]
        if request.memory_mode:
            command += ["--memory-mode", request.memory_mode]
        ended = run([*command, "--verbose-performance", str(source)])
        if ended.code != 0:
            raise ConversionError(_failure(ended.code, ended.printed))
        made = folder / f"{source.stem}{self.suffix}.tflite"
        content = read_made(made, self.title)
        operators = placement(
            _graph(source),
            _graph(made),
            dict(_REFUSED.findall(ended.printed)),
            _cycles(folder / f"{source.stem}_per-layer.csv"),
        )
        return Answer(
            content, version, rows_of(operators), operators, read_summary(folder)
        )


def _version(printed: str) -> str:
    """Return Vela's version; raise where it is not one whose answers are known."""
    text = printed.strip()
    found = _VERSION.match(text)
    if found is None or (int(found[1]), int(found[2])) < OLDEST:
        raise ConversionError(
            f"its version is {shortened(plain(text), 40) or 'not told'}: expected "
            f"{OLDEST[0]}.{OLDEST[1]} or later, pip install -U ethos-u-vela"
        )
    return text


def _failure(code: int, printed: str) -> str:
    """Return the last error that was printed, or how the program ended."""
    found = _FAILURE.findall(printed)
    if code < 0 or not found:
        return f"it {how_it_ended(code)}"
    reason = shortened(plain(found[-1].strip()), 200)
    if "accelerator-config" in reason:
        reason += "; this Vela does not know the chip: pip install -U ethos-u-vela"
    return reason


def _graph(path: Path) -> ModelGraph:
    try:
        return read_model_graph(path)
    except ModelError as error:
        reason = shortened(plain(str(error).replace(str(path), path.name)), 200)
        raise ConversionError(reason) from error


def placement(
    source: ModelGraph,
    compiled: ModelGraph,
    reasons: dict[str, str],
    cycles: list[tuple[str, int]],
) -> tuple[CompiledOperator, ...]:
    """Return what became of each operator of the source.

    Parameters
    ----------
    source, compiled : ModelGraph
        Before and after. An operator that is left has its output's name still.
    reasons : dict
        Why operators were refused, by the name of their output.
    cycles : list of (str, int)
        Estimated cycles, by the name of the output, in the order of execution. A name
        that the source lacks is a step on the way to the next one that it has.
    """
    left = {
        compiled.written(op)[0].name
        for op in compiled.operators
        if op.kind != _OPERATOR and compiled.written(op)
    }
    names = [
        source.written(op)[0].name if op.outputs else "" for op in source.operators
    ]
    spent = dict.fromkeys(names, 0)
    waiting = 0
    for name, count in cycles:
        waiting += count
        if name in spent:
            spent[name] += waiting
            waiting = 0
    return tuple(
        CompiledOperator(op.index, op.kind, False, reasons.get(name, "left to the CPU"))
        if name in left
        else CompiledOperator(op.index, op.kind, True, "", spent[name])
        for op, name in zip(source.operators, names, strict=True)
    )


def rows_of(operators: tuple[CompiledOperator, ...]) -> tuple[Row, ...]:
    """Return operators by kind and status, in the order in which they come first."""
    counts: dict[tuple[str, str, bool], int] = {}
    for op in operators:
        key = (op.op, op.status, op.mapped)
        counts[key] = counts.get(key, 0) + 1
    return tuple(Row(op, n, status, on) for (op, status, on), n in counts.items())


def read_summary(folder: Path) -> Estimate:
    """Return the estimate from the summary that Vela has written into a folder.

    Raises
    ------
    ConversionError
        There is none, or it is of another form.
    """
    found = sorted(folder.glob("*_summary_*.csv"))
    rows = _table(found[0]) if found else []
    if not rows:
        raise ConversionError("it wrote no summary")
    row = rows[-1]
    try:
        return Estimate(
            milliseconds=float(row["inference_time"]) * 1000,
            cycles=int(float(row["cycles_total"])),
            clock_mhz=float(row["core_clock"]) / 1e6,
            sram_kib=float(row["sram_memory_used"]),
            dram_kib=float(row["dram_memory_used"]),
            system_config=row["system_config"],
            memory_mode=row["memory_mode"],
        )
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise ConversionError(
            f"its summary is of a form that is not known here ({one_line(error)})"
        ) from error


def _cycles(path: Path) -> list[tuple[str, int]]:
    """Return estimated cycles by the name of what is written, in order."""
    try:
        return [(row["Name"], int(float(row["Op Cycles"]))) for row in _table(path)]
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise ConversionError(
            f"its table of layers is of a form that is not known here "
            f"({one_line(error)})"
        ) from error


def _table(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            return list(csv.DictReader(file))
    except (OSError, csv.Error) as error:
        reason = reason_of(error) if isinstance(error, OSError) else one_line(error)
        raise ConversionError(f"its {path.name} cannot be read: {reason}") from error


PLUGIN = EthosUCompiler
