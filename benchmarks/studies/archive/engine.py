"""What Ray costs a picture against a plain loop, and what a second actor brings.

Loop, one actor and two take turns on the same pictures. Beside the clock stand seconds
of a core, of all processes together: those hold where others are at work too.
"""

from __future__ import annotations

import os
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING

from edgeseg.benchmarks.studies.archive.plain import plain_worker
from edgeseg.benchmarks.studies.archive.processes import KINDS, family
from edgeseg.runtime.archive.job import Archived, archive
from edgeseg.runtime.archive.listing import items_of, sized
from edgeseg.runtime.archive.plan import ArchiveRequest
from edgeseg.runtime.archive.work import batches_of
from edgeseg.runtime.pipeline.stopping import Stop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edgeseg.devices.types import Json

_EVERY_S = 1.0
_WAYS = {"loop": 0, "one": 1, "two": 2}


@dataclass(frozen=True)
class Cost:
    """What a picture cost.

    Parameters
    ----------
    clock_ms : float
        On the clock, pictures one after the other or two at a time.
    core_ms : float
        Of cores, of all processes.
    ray_core_ms : float
        Of that, what neither decodes, segments nor writes: driver and Ray itself.
    """

    clock_ms: float
    core_ms: float
    ray_core_ms: float = 0.0

    def to_dict(self) -> Json:
        """Return it as JSON values."""
        return {
            "clock_ms": round(self.clock_ms, 3),
            "core_ms": round(self.core_ms, 3),
            "ray_core_ms": round(self.ray_core_ms, 3),
        }


def engine(
    model: Path, source: Path, rounds: int, folder: Path, say: Callable[[str], object]
) -> Json:
    """Return the costs of a picture by a loop, by one actor and by two.

    Parameters
    ----------
    model : Path
        The model file.
    source : Path
        A folder of pictures, more than two batches for each of two actors.
    rounds : int
        Turns.
    folder : Path
        Gets results.
    say : callable
        Gets a line for each turn.
    """
    costs: dict[str, list[Cost]] = {way: [] for way in _WAYS}
    load = os.getloadavg()[0]
    for number in range(rounds):
        for way, most in _WAYS.items():
            out = folder / f"{way}{number}"
            costs[way].append(_alone(model, source, out, most))
            say(f"{number + 1} of {rounds}, {way}: {costs[way][-1].to_dict()}")
    core = {way: _median([each.core_ms for each in costs[way]]) for way in _WAYS}
    clock = {way: _median([each.clock_ms for each in costs[way]]) for way in _WAYS}
    return {
        "model": model.name,
        "pictures": len(items_of([str(source)])),
        "clock_ms": clock,
        "core_ms": core,
        "ray_core_ms": _median([each.ray_core_ms for each in costs["one"]]),
        "overhead_clock_ms": round(clock["one"] - clock["loop"], 3),
        "overhead_core_ms": round(core["one"] - core["loop"], 3),
        "two_times_one_by_clock": round(clock["one"] / clock["two"], 3),
        "two_times_one_by_core": round(2 * core["one"] / core["two"], 3),
        "load_average": {"before": load, "after": os.getloadavg()[0]},
        "rounds": {way: [each.to_dict() for each in costs[way]] for way in _WAYS},
    }


def _alone(model: Path, source: Path, out: Path, most: int) -> Cost:
    """Measure in a process of its own: Ray keeps the token of its first start."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        run = _by_actors if most else _by_loop
        return pool.submit(run, model, source, out, most).result()


def _by_loop(model: Path, source: Path, out: Path, _: int) -> Cost:
    batches = batches_of(sized(items_of([str(source)])))
    with plain_worker(model, out) as (worker, output):
        output.areas.add(worker(next(batches)).rows)
        clock_s, cpu_s, done = time.perf_counter(), time.process_time(), 0
        for batch in batches:
            output.areas.add(worker(batch).rows)
            done += len(batch.items)
        clock_s = time.perf_counter() - clock_s
        cpu_s = time.process_time() - cpu_s
    return Cost(1000 * clock_s / done, 1000 * cpu_s / done)


def _by_actors(model: Path, source: Path, out: Path, most: int) -> Cost:
    seen: list[tuple[float, int, dict[str, float]]] = []

    def look(archived: Archived) -> None:
        now = time.perf_counter()
        if not archived.done or archived.actors < most:
            return
        if not seen or now - seen[-1][0] >= _EVERY_S:
            found = family(os.getpid())
            spent = {kind: sum(each.cpu_s for each in found[kind]) for kind in KINDS}
            seen.append((now, archived.done, spent))

    request = ArchiveRequest(model, (str(source),), out, actors=most, threads=1)
    archive(request, stop=Stop(), progress=look)
    (first_s, before, began), (last_s, done, ended) = seen[0], seen[-1]
    spent = {kind: 1000 * (ended[kind] - began[kind]) for kind in KINDS}
    done -= before
    return Cost(
        1000 * (last_s - first_s) / done,
        sum(spent.values()) / done,
        (spent["driver"] + spent["ray"]) / done,
    )


def _median(values: list[float]) -> float:
    return round(statistics.median(values), 3)
