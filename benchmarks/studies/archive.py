"""How archives hold out: synthetic pictures by the hundred thousand, kills, the engine.

::

    python -m edgeseg.benchmarks.studies.archive synthetic --count 100000
    python -m edgeseg.benchmarks.studies.archive kills
    python -m edgeseg.benchmarks.studies.archive engine

Each adds its part to ``benchmarks/results/archive.json``. Times want an idle machine.
Run from a checkout; see `edgeseg.benchmarks.studies`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeseg.benchmarks.studies.archive_kills import actors_below, kill_each
from edgeseg.runtime.archive.areas_table import FOLDER, AreasTable
from edgeseg.runtime.archive.job import Archived, archive
from edgeseg.runtime.archive.listing import items_of
from edgeseg.runtime.archive.plan import ArchiveRequest
from edgeseg.runtime.archive.segmenting import Job, Segmenting
from edgeseg.runtime.archive.work import batches_of
from edgeseg.runtime.commands.options import MODEL
from edgeseg.runtime.json_text import json_text
from edgeseg.runtime.pictures.atomic import write_text
from edgeseg.runtime.pipeline.stopping import Stop
from edgeseg.runtime.segmentation.segmenter import Segmenter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeseg.devices.types import Json

_ROOT = Path(__file__).resolve().parents[2]
_RECORD = _ROOT / "benchmarks" / "results" / "archive.json"
_DISTINCT = 300
_SIZE_HW = 48, 64
_FOLDERS = 100


@click.group()
def main() -> None:
    """Measure archives."""


@main.command()
@click.option("--count", default=100_000, show_default=True)
@click.option("--model", type=MODEL, default=str(_ROOT / "tests/golden/shapes.tflite"))
def synthetic(count: int, model: Path) -> None:
    """Rate and memory over many small pictures, by tenths."""
    with _scratch() as folder:
        draw_small(folder / "photos", count)
        seen: list[tuple[float, int, int, int]] = []

        def look(archived: Archived) -> None:
            now = time.monotonic()
            if archived.done and (not seen or now - seen[-1][0] >= 1):
                workers = [_resident(pid) for pid in actors_below(os.getpid())]
                mine = _resident(os.getpid())
                seen.append((now, archived.done, mine, max(workers, default=0)))

        request = ArchiveRequest(model, (str(folder / "photos"),), folder / "out")
        done = archive(request, stop=Stop(), progress=look)
        names = AreasTable(folder / "out" / FOLDER).names()
        masks = sum(len(files) for _, _, files in os.walk(folder / "out" / "masks"))
    _add(
        "synthetic",
        {
            "pictures": count,
            "rows": len(names),
            "masks": masks,
            "unread": len(done.unread),
            "seconds": round(done.seconds, 1),
            "tenths": _tenths(seen),
        },
    )


@main.command()
@click.option("--rounds", default=3, show_default=True)
@click.option("--count", default=2000, show_default=True)
@click.option("--model", type=MODEL, default="animals")
@click.option("--pictures", type=click.Path(path_type=Path))
def engine(rounds: int, count: int, model: Path, pictures: Path | None) -> None:
    """Time of a picture by a plain loop, by one actor and by two, in turns."""
    with _scratch() as folder:
        source = pictures or folder / "photos"
        if pictures is None:
            draw_small(source, count)
        found: dict[str, list[float]] = {"loop": [], "one": [], "two": []}
        for number in range(rounds):
            found["loop"].append(_loop_ms(model, source, folder / f"loop{number}"))
            for key, most in (("one", 1), ("two", 2)):
                out = folder / f"{key}{number}"
                found[key].append(_actors_ms(model, source, out, most))
            click.echo({key: round(values[-1], 3) for key, values in found.items()})
    medians = {key: statistics.median(values) for key, values in found.items()}
    ratios = [a / b for a, b in zip(found["one"], found["two"], strict=True)]
    _add(
        f"engine {model.stem}" + ("" if pictures else " small"),
        {
            "model": model.name,
            "ms_a_picture": {key: round(value, 3) for key, value in medians.items()},
            "overhead_ms": round(medians["one"] - medians["loop"], 3),
            "two_times_one": round(statistics.median(ratios), 3),
            "rounds": found,
        },
    )


@main.command()
@click.argument("pictures", type=click.Path(path_type=Path, exists=True), nargs=-1)
@click.option("--model", type=MODEL, default="animals")
def kills(pictures: tuple[Path, ...], model: Path) -> None:
    """Kill an actor, a node and the driver; compare with a run on one machine."""
    with _scratch() as folder:
        _add("kills", kill_each(model, pictures, folder))


def draw_small(folder: Path, count: int) -> None:
    """Write small pictures in sub-folders: a few hundred, and hard links to them."""
    import numpy as np

    from edgeseg.runtime.pictures.files import write_picture

    rng = np.random.default_rng(0)
    drawn = []
    for index in range(min(count, _DISTINCT)):
        frame = np.full((*_SIZE_HW, 3), rng.integers(0, 256, 3), np.uint8)
        top, left = rng.integers(0, 30, 2)
        frame[top : top + 18, left : left + 30] = rng.integers(0, 256, 3)
        path = folder / "000" / f"{index:06d}.jpg"
        write_picture(path, frame)
        drawn.append(path)
    for index in range(_DISTINCT, count):
        path = folder / f"{index % _FOLDERS:03d}" / f"{index:06d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(drawn[index % _DISTINCT], path)


def _loop_ms(model: Path, source: Path, out: Path) -> float:
    from edgeseg.runtime.archive.output_folder import OutputFolder

    items = items_of([str(source)])
    with Segmenter.open(model) as opened:
        manifest = opened.manifest
    with OutputFolder(out, {}) as output:
        job = Job(model.read_bytes(), model.name, manifest, str(out), output.key, "/")
        with Segmenting(job) as segmenting:
            batches = list(batches_of(items))
            segmenting(batches[0])
            start_s = time.perf_counter()
            for batch in batches[1:]:
                output.areas.add(segmenting(batch).rows)
            spent_s = time.perf_counter() - start_s
    return 1000 * spent_s / sum(len(batch.items) for batch in batches[1:])


def _actors_ms(model: Path, source: Path, out: Path, most: int) -> float:
    """Time a run in a process of its own: Ray keeps the token of its first start."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_timed_ms, model, source, out, most).result()


def _timed_ms(model: Path, source: Path, out: Path, most: int) -> float:
    seen: list[tuple[float, int]] = []

    def look(archived: Archived) -> None:
        if archived.done and archived.actors == most:
            seen.append((time.perf_counter(), archived.done))

    request = ArchiveRequest(model, (str(source),), out, actors=most, threads=1)
    archive(request, stop=Stop(), progress=look)
    spent_s, done = seen[-1][0] - seen[0][0], seen[-1][1] - seen[0][1]
    return 1000 * spent_s / done


def _tenths(seen: list[tuple[float, int, int, int]]) -> list[Json]:
    last = seen[-1][1]
    found, before = [], seen[0]
    for tenth in range(1, 11):
        here = next(each for each in seen if each[1] >= last * tenth / 10)
        if here is before:
            continue
        found.append(
            {
                "done": here[1],
                "rate": round((here[1] - before[1]) / (here[0] - before[0]), 1),
                "driver_mib": here[2] >> 20,
                "largest_actor_mib": here[3] >> 20,
            }
        )
        before = here
    return found


def _resident(pid: int) -> int:
    with contextlib.suppress(OSError, IndexError):
        pages = int(Path(f"/proc/{pid}/statm").read_text("utf-8").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return 0


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="edgeseg-study-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _add(key: str, values: Json) -> None:
    """Put a part into the record, beside what is there."""
    import ray

    record = json.loads(_RECORD.read_text("utf-8")) if _RECORD.exists() else {}
    record[key] = values
    record["conditions"] = {"cores": os.cpu_count(), "ray": ray.__version__}
    write_text(_RECORD, json_text(record, indent=2, sort_keys=True) + "\n")
    click.echo(json_text(values, indent=2))


if __name__ == "__main__":
    main()
