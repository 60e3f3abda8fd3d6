"""A long run over all kinds: in order, in several processes, and able to go on."""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from hostile.driver import Driver

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hostile.case import Kind
    from hostile.driver import Result

PIECE = 20  # cases of one kind between two notes of where the run is


class Campaign:
    """The counts of a run, noted in a file after each piece.

    Parameters
    ----------
    progress : Path
        Where the run is; a run with the same seed goes on from there.
    seed : int
        Decides every input.
    keep : Path
        Gets a folder for each case with faults.
    report : callable
        Called with a line now and then.
    """

    def __init__(
        self, progress: Path, seed: int, keep: Path, report: Callable[[str], None]
    ) -> None:
        self._progress, self._seed, self._keep = progress, seed, keep
        self._report, self._lock = report, threading.Lock()
        self._pieces: dict[str, dict[str, Any]] = {}
        self._broken: Exception | None = None
        if progress.exists():
            stored = json.loads(progress.read_text("utf-8"))
            if stored["seed"] == seed:
                self._pieces = stored["pieces"]

    def run(self, counts: Mapping[str, int], chosen: Mapping[str, Kind], jobs: int):
        """Run so many cases of each kind and return the counts; see `summary`."""
        pieces: SimpleQueue[tuple[str, int, int]] = SimpleQueue()
        for name, start, stop in _pieces(counts):
            if f"{name} {start} {stop}" not in self._pieces:
                pieces.put((name, start, stop))
        threads = [
            threading.Thread(target=self._work, args=(pieces, chosen))
            for _ in range(jobs)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._broken is not None:  # by a case that could not be made
            raise self._broken
        return self.summary()

    def summary(self) -> dict[str, Any]:
        """Return counts by kind and over all."""
        kinds: dict[str, dict[str, Any]] = {}
        for key, piece in sorted(self._pieces.items()):
            kind = kinds.setdefault(key.split()[0], _nothing())
            for field in ("cases", "inputs", "seconds"):
                kind[field] = round(kind[field] + piece[field], 3)
            kind["peak_mib"] = max(kind["peak_mib"], piece["peak_mib"])
            for field in ("status", "faults"):
                kind[field] = dict(Counter(kind[field]) + Counter(piece[field]))
        total = {
            field: round(sum(kind[field] for kind in kinds.values()), 1)
            for field in ("cases", "inputs", "seconds")
        }
        faults: Counter[str] = Counter()
        for kind in kinds.values():
            faults.update(kind["faults"])
        return {"total": {**total, "faults": dict(faults)}, "kinds": kinds}

    def _work(
        self, pieces: SimpleQueue[tuple[str, int, int]], chosen: Mapping[str, Kind]
    ) -> None:
        with (
            tempfile.TemporaryDirectory(prefix="hostile-") as folder,
            Driver(Path(folder)) as driver,
        ):
            while True:
                try:
                    name, start, stop = pieces.get_nowait()
                except Empty:
                    return
                try:
                    self._piece(driver, name, chosen[name], start, stop)
                except Exception as error:
                    self._broken = error
                    raise

    def _piece(
        self, driver: Driver, name: str, kind: Kind, start: int, stop: int
    ) -> None:
        counted = _nothing()
        begin = time.monotonic()
        for number in range(start, stop):
            result = driver.run(name, kind, self._seed, number, self._keep)
            _count(counted, result)
            for fault in result.faults:
                where = f"{name} {number}"
                self._report(f"FAULT {where}: {fault.rule}: {fault.detail}")
        counted["seconds"] = round(time.monotonic() - begin, 3)
        with self._lock:
            self._pieces[f"{name} {start} {stop}"] = counted
            stored = {"seed": self._seed, "pieces": self._pieces}
            temporary = self._progress.with_suffix(".part")
            temporary.write_text(json.dumps(stored), "utf-8")
            os.replace(temporary, self._progress)
            done = sum(piece["cases"] for piece in self._pieces.values())
        self._report(f"{done} cases; {name} {start} to {stop}: {counted['faults']}")


def _pieces(counts: Mapping[str, int]) -> list[tuple[str, int, int]]:
    """Return pieces of all kinds, in turns, so that a run that is cut saw all."""
    found = [
        (start / count, name, start, min(start + PIECE, count))
        for name, count in counts.items()
        for start in range(0, count, PIECE)
    ]
    return [piece[1:] for piece in sorted(found)]


def _nothing() -> dict[str, Any]:
    return {
        "cases": 0,
        "inputs": 0,
        "seconds": 0.0,
        "peak_mib": 0,
        "status": {},
        "faults": {},
    }


def _count(counted: dict[str, Any], result: Result) -> None:
    counted["cases"] += 1
    counted["inputs"] += result.inputs
    counted["peak_mib"] = max(
        counted["peak_mib"], round(result.outcome.peak_bytes / 2**20)
    )
    status = str(result.outcome.status)
    counted["status"][status] = counted["status"].get(status, 0) + 1
    for rule in {fault.rule for fault in result.faults}:
        counted["faults"][rule] = counted["faults"].get(rule, 0) + 1
