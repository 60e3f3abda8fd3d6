"""Rate and memory of a long archive, tenth by tenth, beside what the machine gives.

The archive is a process of its own. Another looks at it, and does a fixed piece of work
now and then: where others are at work on the machine, pictures a second say little, and
pictures a second of a core, held against that work, say more.
"""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING

from edgeseg.benchmarks.studies.archive.pictures import draw_small
from edgeseg.benchmarks.studies.archive.processes import KINDS, control_s, family
from edgeseg.runtime.archive.areas_table import FOLDER, AreasTable
from edgeseg.runtime.archive.job import Archived, archive
from edgeseg.runtime.archive.plan import ArchiveRequest
from edgeseg.runtime.pipeline.stopping import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection
    from pathlib import Path

    from edgeseg.devices.types import Json

_EVERY_S = 2.0
_TENTHS = 10


@dataclass(frozen=True)
class Look:
    """An archive at one moment.

    Parameters
    ----------
    at_s : float
        `time.monotonic`.
    done : int
        Pictures.
    resident : dict of str to int
        Bytes by kind of process; of actors, those of the largest.
    cpu_s : dict of str to float
        Seconds of a core so far, by kind.
    control_s : tuple of float
        See `control_s`.
    load : float
        Load average of the machine.
    """

    at_s: float
    done: int
    resident: dict[str, int]
    cpu_s: dict[str, float]
    control_s: tuple[float, float]
    load: float


def synthetic(
    model: Path, count: int, folder: Path, say: Callable[[str], object]
) -> Json:
    """Return how an archive of small pictures went.

    Parameters
    ----------
    model : Path
        The model file.
    count : int
        Pictures.
    folder : Path
        Empty; gets pictures and results.
    say : callable
        Gets a line for each tenth.
    """
    draw_small(folder / "photos", count)
    context = get_context("spawn")
    here, there = context.Pipe(duplex=False)
    request = ArchiveRequest(model, (str(folder / "photos"),), folder / "out")
    start_s = time.monotonic()
    driver = context.Process(target=_drive, args=(request, there))
    driver.start()
    there.close()
    looks = _watch(driver.pid or 0, here, count, say)
    driver.join()
    names = AreasTable(folder / "out" / FOLDER).names()
    masks = sum(len(files) for _, _, files in os.walk(folder / "out" / "masks"))
    tenths = _tenths(looks)
    return {
        "model": model.name,
        "pictures": count,
        "rows": len(names),
        "masks": masks,
        "exit": driver.exitcode,
        "seconds_before_the_first": round(looks[0].at_s - start_s, 1),
        "seconds": round(looks[-1].at_s - looks[0].at_s, 1),
        "tenths": tenths,
        "last_to_second_tenth": {
            key: round(tenths[-1][key] / tenths[1][key], 3)
            for key in ("rate", "rate_a_core", "rate_a_core_by_control", "driver_mib")
        },
    }


def _drive(request: ArchiveRequest, to: Connection) -> None:
    """Run an archive, and send how many pictures are done."""

    def show(archived: Archived) -> None:
        to.send(archived.done)

    archive(request, stop=Stop(), progress=show)


def _watch(
    pid: int, source: Connection, count: int, say: Callable[[str], object]
) -> list[Look]:
    looks: list[Look] = []
    done, tenth = 0, 1
    ended = False
    while not ended:
        try:
            while source.poll(0 if looks else 0.1):
                done = source.recv()
        except EOFError:
            ended = True
        look = None if ended or not done else _look(pid, done)
        if look is not None:
            looks.append(look)
            if done >= tenth * count / _TENTHS:
                tenth += 1
                say(f"{done} of {count}, {time.monotonic() - looks[0].at_s:.0f} s")
        if looks and not ended:
            time.sleep(_EVERY_S)
    return looks


def _look(pid: int, done: int) -> Look | None:
    found = family(pid)
    if not found["actors"]:
        return None  # it is about to end
    resident = {
        kind: sum(process.resident_bytes for process in found[kind]) for kind in KINDS
    }
    resident["actors"] = max(process.resident_bytes for process in found["actors"])
    cpu_s = {kind: sum(process.cpu_s for process in found[kind]) for kind in KINDS}
    return Look(
        time.monotonic(), done, resident, cpu_s, control_s(), os.getloadavg()[0]
    )


def _tenths(looks: Sequence[Look]) -> list[Json]:
    last = looks[-1].done
    found: list[Json] = []
    before = 0
    for tenth in range(1, _TENTHS + 1):
        here = next(
            n for n, look in enumerate(looks) if look.done >= last * tenth / _TENTHS
        )
        if here > before:
            found.append(_between(looks[before : here + 1]))
        before = here
    return found


def _between(looks: Sequence[Look]) -> Json:
    first, last = looks[0], looks[-1]
    done, seconds = last.done - first.done, last.at_s - first.at_s
    spent = {kind: last.cpu_s[kind] - first.cpu_s[kind] for kind in KINDS}
    total_s = sum(spent.values())
    control = statistics.median(look.control_s[0] for look in looks)
    clock = statistics.median(look.control_s[1] for look in looks)
    return {
        "done": last.done,
        "rate": round(done / seconds, 1),
        "rate_a_core": round(done / total_s, 1),
        "rate_a_core_by_control": round(done * control / total_s, 3),
        "core_ms_a_picture": {
            kind: round(1000 * spent[kind] / done, 3) for kind in KINDS
        },
        **{f"{kind}_mib": last.resident[kind] >> 20 for kind in KINDS},
        "control_core_ms": round(1000 * control, 2),
        "control_clock_ms": round(1000 * clock, 2),
        "load": round(last.load, 1),
    }
