"""How archives hold out: synthetic pictures by the hundred thousand, kills, the engine.

::

    python -m edgeseg.benchmarks.studies.archive synthetic --count 100000 --model M
    python -m edgeseg.benchmarks.studies.archive kills
    python -m edgeseg.benchmarks.studies.archive scores
    python -m edgeseg.benchmarks.studies.archive engine --pictures photos/

Each adds its part to ``benchmarks/results/archive.json``. With ``--count 20000``
``synthetic`` takes some three minutes. Run from a checkout; see
`edgeseg.benchmarks.studies`.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeseg.benchmarks.studies.archive.engine import engine as measure_engine
from edgeseg.benchmarks.studies.archive.growth import synthetic as measure_growth
from edgeseg.benchmarks.studies.archive.kills import KINDS, kill_each
from edgeseg.benchmarks.studies.archive.pictures import draw_small, gather
from edgeseg.benchmarks.studies.archive.scores import compare_scores
from edgeseg.benchmarks.studies.conversions import machine
from edgeseg.runtime.commands.options import MODEL
from edgeseg.runtime.json_text import json_text
from edgeseg.runtime.pictures.atomic import write_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeseg.devices.types import Json

_ROOT = Path(__file__).resolve().parents[3]
_DATA = _ROOT.parent / "shared" / "data"
_VAL = Path("voc-animals", "val")
_RECORD = _ROOT / "benchmarks" / "results" / "archive.json"


@click.group()
def main() -> None:
    """Measure archives."""


@main.command()
@click.option("--count", default=100_000, show_default=True)
@click.option("--model", type=MODEL, default=str(_ROOT / "tests/golden/shapes.tflite"))
def synthetic(count: int, model: Path) -> None:
    """Rate and memory over many small pictures, by tenths."""
    with _scratch() as folder:
        _add("synthetic", measure_growth(model, count, folder, click.echo))


@main.command()
@click.option("--rounds", default=3, show_default=True)
@click.option("--count", default=10_000, show_default=True, help="Small pictures.")
@click.option("--model", type=MODEL, default="animals")
@click.option("--pictures", type=click.Path(path_type=Path, exists=True))
def engine(rounds: int, count: int, model: Path, pictures: Path | None) -> None:
    """Time of a picture by a plain loop, by one actor and by two, in turns."""
    with _scratch() as folder:
        source = pictures or folder / "photos"
        if pictures is None:
            draw_small(source, count)
        found = measure_engine(model, source, rounds, folder, click.echo)
    kind = "small pictures" if pictures is None else "pictures"
    _add(f"engine: {model.stem}, {kind}", found)


@main.command()
@click.argument("pictures", type=click.Path(path_type=Path, exists=True), nargs=-1)
@click.option("--model", type=MODEL, default="animals")
@click.option("--data", type=click.Path(path_type=Path), default=_DATA)
@click.option("--only", type=click.Choice(KINDS), multiple=True, default=KINDS)
def kills(
    pictures: tuple[Path, ...], model: Path, data: Path, only: tuple[str, ...]
) -> None:
    """Kill an actor, a node, the driver, all; compare with a run on one machine.

    Without PICTURES it takes those in DATA, the photos that ship, a video made of
    some, and three files that are no pictures.
    """
    with _scratch() as folder:
        shipped = _ROOT / "runtime" / "shipped" / "photos"
        taken = pictures or gather(data, shipped, folder)
        for found in kill_each(model, taken, folder, only=only):
            _add("kills", found)


@main.command()
@click.argument("dataset", type=click.Path(path_type=Path), default=_DATA / _VAL)
@click.option("--model", type=MODEL, default="animals")
def scores(dataset: Path, model: Path) -> None:
    """Score a data set on one machine and on three nodes; compare the records."""
    with _scratch() as folder:
        _add("scores", compare_scores(model, dataset, folder))


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="edgeseg-study-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _add(key: str, values: Json) -> None:
    """Put a part into the record, beside what is there and is not measured anew."""
    record = json.loads(_RECORD.read_text("utf-8")) if _RECORD.exists() else {}
    record[key] = {**record.get(key, {}), **values}
    record["machine"] = machine()
    record["versions"] = {name: version(name) for name in ("ray", "pyarrow")}
    write_text(_RECORD, json_text(record, indent=2, sort_keys=True) + "\n")
    click.echo(json_text(values, indent=2))


if __name__ == "__main__":
    main()
