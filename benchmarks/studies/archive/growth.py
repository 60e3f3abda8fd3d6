"""Rate and memory of a long archive, tenth by tenth, beside what the machine gives.

The archive is a process of its own. Another looks at it, and segments the same few
pictures now and then: where others are at work on the machine, pictures a second say
little, and what a picture costs of a core, held against that control, says more.
"""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING

from edgeseg.benchmarks.studies.archive.pictures import draw_small
from edgeseg.benchmarks.studies.archive.plain import Control, plain_worker
from edgeseg.benchmarks.studies.archive.processes import KINDS, family
from edgeseg.runtime.archive.areas_table import FOLDER, AreasTable
from edgeseg.runtime.archive.job import Archived, archive
from edgeseg.runtime.archive.plan import ArchiveRequest
from edgeseg.runtime.pipeline.stopping import Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection
    from pathlib import Path

    from edgeseg.devices.types import Json

_EVERY_S = 3.0
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
    control_ms : tuple of float
        See `Control`.
    load : float
        Load average of the machine.
    """

    at_s: float
    done: int
    resident: dict[str, int]
    cpu_s: dict[str, float]
    control_ms: tuple[float, float]
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
    with plain_worker(model, folder / "control") as (worker, _):
        control = Control(worker, folder / "photos" / "000")
        control.ms()
        start_s = time.monotonic()
        driver = context.Process(target=_drive, args=(request, there))
        driver.start()
        there.close()
        watching = _Watching(driver.pid or 0, here, control)
        looks = watching.until_the_end(count, say)
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
            for key in (
                "rate",
                "core_ms",
                "core_ms_by_control",
                "driver_mib",
                "actors_mib",
            )
        },
    }


def _drive(request: ArchiveRequest, to: Connection) -> None:
    """Run an archive, and send how many pictures are done."""

    def show(archived: Archived) -> None:
        to.send(archived.done)

    archive(request, stop=Stop(), progress=show)


class _Watching:
    """Looks at a driver and what it has started until it ends."""

    def __init__(self, pid: int, source: Connection, control: Control) -> None:
        self._pid, self._source, self._control = pid, source, control
        self._done, self._ended = 0, False

    def until_the_end(self, count: int, say: Callable[[str], object]) -> list[Look]:
        """Return what was seen, a look every few seconds."""
        looks: list[Look] = []
        tenth = 1
        while not self._ended:
            self._receive()
            look = self._look() if self._done and not self._ended else None
            if look is not None:
                looks.append(look)
                if look.done >= tenth * count / _TENTHS:
                    tenth += 1
                    say(f"{look.done} of {count}, {look.at_s - looks[0].at_s:.0f} s")
            if looks and not self._ended:
                time.sleep(_EVERY_S)
        return looks

    def _receive(self) -> None:
        try:
            while self._source.poll(0.1):
                self._done = self._source.recv()
        except EOFError:
            self._ended = True

    def _look(self) -> Look | None:
        control_ms = self._control.ms()
        found = family(self._pid)
        if not found["actors"]:
            return None  # it is about to end
        resident = {
            kind: sum(process.resident_bytes for process in found[kind])
            for kind in KINDS
        }
        resident["actors"] = max(each.resident_bytes for each in found["actors"])
        cpu_s = {kind: sum(each.cpu_s for each in found[kind]) for kind in KINDS}
        return Look(
            time.monotonic(),
            self._done,
            resident,
            cpu_s,
            control_ms,
            os.getloadavg()[0],
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
    core_ms = 1000 * sum(spent.values()) / done
    control_ms = statistics.median(look.control_ms[0] for look in looks)
    clock_ms = statistics.median(look.control_ms[1] for look in looks)
    return {
        "done": last.done,
        "rate": round(done / seconds, 1),
        "rate_a_core": round(1000 / core_ms, 1),
        "core_ms": round(core_ms, 3),
        "core_ms_by_control": round(core_ms / control_ms, 3),
        "core_ms_of": {kind: round(1000 * spent[kind] / done, 3) for kind in KINDS},
        **{f"{kind}_mib": last.resident[kind] >> 20 for kind in KINDS},
        "control_core_ms": round(control_ms, 3),
        "control_clock_ms": round(clock_ms, 3),
        "load": round(last.load, 1),
    }
