"""What a command may do with a hostile input, and what it did.

Allowed is a right result with exit status 0, or one line ``Error: ...`` with status 1
or, for wrong usage, 2. In both cases what was written is whole, nothing else was
touched, nothing is left, and a terminal only shows what was printed.
"""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hostile.outputs import fault_of

from edgeseg.devices.plain_text import is_printable

if TYPE_CHECKING:
    from pathlib import Path

    from hostile.case import Case
    from hostile.places import Places

MEMORY_BYTES = 1 << 30  # more than any command here needs above its imports
_LONGEST = 2100  # characters of a line of ours
_MOST_LINES = 200
_TRACEBACK = re.compile(r"^(Traceback \(most recent call last\)|  File \")", re.M)
_OURS = re.compile(r"(Error|Warning|Note): \S")
# what a command says besides errors and warnings
_TALK = re.compile(r"(to be seen at http://|written: |median: |\d+ pictures?)")
_USAGE = re.compile(r"(Usage: edgeseg|Try 'edgeseg|$)")


@dataclass(frozen=True)
class Outcome:
    """How a command ended.

    Parameters
    ----------
    status : int
        Exit status; below 0 the signal that ended it.
    hung : bool
        It was killed because of its time.
    peak_bytes : int
        Resident memory at most.
    seconds : float
        How long it took.
    left_behind : tuple of str
        Command lines of processes that outlived it.
    stdout, stderr : str
        What it printed.
    """

    status: int
    hung: bool
    peak_bytes: int
    seconds: float
    left_behind: tuple[str, ...]
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Fault:
    """A rule that was broken, and how.

    Parameters
    ----------
    rule : str
        A short name, counted in the record.
    detail : str
        For a person.
    """

    rule: str
    detail: str


def judge(
    case: Case, outcome: Outcome, places: Places, memory_bytes: int
) -> list[Fault]:
    """Return every rule that a command has broken.

    Parameters
    ----------
    case : Case
        What was run.
    outcome : Outcome
        How it ended.
    places : Places
        Its folders, as it left them.
    memory_bytes : int
        Resident memory that it may take.
    """
    faults = _ending(outcome, memory_bytes)
    if not outcome.hung:
        faults += _printed(case, outcome)
    faults += _written(case, outcome, places)
    return faults


def _ending(outcome: Outcome, memory_bytes: int) -> list[Fault]:
    faults = []
    if outcome.hung:
        faults.append(Fault("hang", f"still running after {outcome.seconds:.0f} s"))
    elif outcome.status < 0:
        faults.append(Fault("signal", signal.Signals(-outcome.status).name))
    elif outcome.status not in (0, 1, 2):
        faults.append(Fault("status", f"exit status {outcome.status}"))
    if outcome.peak_bytes > memory_bytes:
        faults.append(Fault("memory", f"{outcome.peak_bytes >> 20} MiB"))
    faults += [Fault("process left", words) for words in outcome.left_behind]
    return faults


def _printed(case: Case, outcome: Outcome) -> list[Fault]:
    faults = []
    both = f"{outcome.stdout}\n{outcome.stderr}"
    if _TRACEBACK.search(both):
        last = [line for line in both.splitlines() if line.strip()][-1]
        faults.append(Fault("traceback", last[:300]))
        return faults
    lines = outcome.stderr.split("\n")
    if lines[-1:] == [""]:
        del lines[-1]
    errors = [line for line in lines if line.startswith("Error: ")]
    if outcome.status == 0 and errors:
        faults.append(Fault("error line", f"status 0 after {errors[0][:200]!r}"))
    if outcome.status in (1, 2) and (len(errors) != 1 or lines[-1:] != errors):
        shown = outcome.stderr[-300:]
        faults.append(Fault("error line", f"status {outcome.status}, {shown!r}"))
    if outcome.status not in (0, 1, 2):
        return faults
    faults += _noise(case, outcome, lines)
    for line in (*lines, *outcome.stdout.split("\n")):
        if not is_printable(line.replace("\t", " ")):
            faults.append(Fault("control character", repr(line[:300])))
            break
    return faults


def _noise(case: Case, outcome: Outcome, lines: list[str]) -> list[Fault]:
    faults = []
    for line in lines:
        known = _OURS.match(line) or _TALK.match(line)
        usage = outcome.status == 2 and _USAGE.match(line)
        more = case.talk is not None and re.match(case.talk, line)
        if not (known or usage or more):
            faults.append(Fault("noise", repr(line[:300])))
            break
    if any(len(line) > _LONGEST for line in lines):
        faults.append(Fault("long line", f"{max(map(len, lines))} characters"))
    if len(lines) > _MOST_LINES:
        faults.append(Fault("long line", f"{len(lines)} lines"))
    return faults


def _written(case: Case, outcome: Outcome, places: Places) -> list[Fault]:
    faults = []
    for name, how in places.changed().items():
        path = places.root / name
        if _may_write(case.may, name):
            continue
        if not _may_write(case.outputs, name):
            faults.append(Fault(_rule_of(name, how), f"{name} was {how}"))
        elif path.is_file() and (fault := fault_of(path)):
            faults.append(Fault("half output", f"{name} {fault}"))
    if outcome.status == 0 and case.needed:
        for output in case.outputs:
            if not _is_there(places.work / output):
                faults.append(Fault("no output", f"status 0 and no {output}"))
    return faults


def _may_write(outputs: tuple[str, ...], name: str) -> bool:
    for output in outputs:
        full = f"work/{output}".rstrip("/")
        inside = output.endswith("/") and name.startswith(f"{full}/")
        if name == full or (inside and not _is_temporary(name)):
            return True
        if full.startswith(f"{name}/"):  # a folder above it
            return True
    return False


def _is_temporary(name: str) -> bool:
    last = name.rpartition("/")[2]
    return last.startswith(".") or ".part" in last


def _rule_of(name: str, how: str) -> str:
    if name.startswith("tmp/") or (name.startswith("work/") and how == "made"):
        return "file left"
    return "file outside"


def _is_there(path: Path) -> bool:
    return any(path.iterdir()) if path.is_dir() else path.is_file()
