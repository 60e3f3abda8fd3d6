"""What the checks of a model cost: two installations of edgeseg, in turns.

``python -m edgeseg.benchmarks.studies.speed.opening MODEL... --python before=PYTHON
--python after=PYTHON --json RECORD.json`` times ``edgeseg run`` on one photo as a whole
process, and `Segmenter.open` inside one. Each installation is a Python that has
edgeseg; a round runs every case once in each, the order turned around every round.
``first`` has a cache folder that is new, so that a model is examined and tried in a
child; ``known`` has one that has seen the model.

Run from a checkout; see `edgeseg.benchmarks.studies`.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeseg.benchmarks.latency.distribution import median
from edgeseg.benchmarks.record import write_record
from edgeseg.benchmarks.studies.conversions import machine
from edgeseg.devices import EdgesegError, ModelError
from edgeseg.devices.process_log import reason_in
from edgeseg.runtime.commands.options import PATH
from edgeseg.runtime.model.embedded import sha256
from edgeseg.runtime.shipped import find_model, photo_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeseg.devices.types import Json

CASES = ("run first", "run known", "open first", "open known")
# compiled files are kept, as an installation keeps them
_ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
_RUN = "from edgeseg.runtime.cli import main; main()"
_OPEN = """
import json, resource, sys, time
from edgeseg.runtime import Segmenter
from edgeseg.runtime.shipped import find_model
def spent():
    both = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)
start, before = time.perf_counter(), spent()
segmenter = Segmenter.open(find_model(sys.argv[1]))
taken, used = time.perf_counter() - start, spent() - before
segmenter.close()
print(json.dumps([taken * 1000, used * 1000]))
"""


def time_case(
    python: str, case: str, model: str, photo: Path, caches: Path
) -> tuple[float, float]:
    """Return the time of one case in one installation, and its processor time; ms.

    Parameters
    ----------
    python : str
        A Python that has edgeseg.
    case : str
        One of `CASES`.
    model : str
        A file, or the name of a shipped model.
    photo : Path
        What is segmented.
    caches : Path
        A folder; ``known`` keeps its cache there.

    Raises
    ------
    ModelError
        The installation refuses the model; the message gives its last words.
    """
    what, _, cache = case.partition(" ")
    with tempfile.TemporaryDirectory(dir=caches) as fresh:
        home = caches / "known" if cache == "known" else Path(fresh)
        home.mkdir(exist_ok=True)
        given = {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")}
        (home / ".cache").mkdir(exist_ok=True)
        output = str(Path(fresh) / "overlay.png")
        words = (
            ["-c", _OPEN, model]
            if what == "open"
            else ["-c", _RUN, "run", model, str(photo), "-o", output, "--json"]
        )
        start, before = time.perf_counter(), _spent()
        done = subprocess.run(
            [python, *words],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env={**_ENVIRONMENT, **given},
            check=False,
        )
        taken, used = time.perf_counter() - start, _spent() - before
    if done.returncode:
        raise ModelError(
            f"{python} ended with {done.returncode}: {reason_in(done.stderr)}"
        )
    if what == "open":
        taken_ms, used_ms = json.loads(done.stdout)
        return taken_ms, used_ms
    return taken * 1000, used * 1000


def _spent() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(
    pythons: dict[str, str],
    models: Sequence[str],
    photo: Path,
    *,
    runs: int,
) -> list[Json]:
    """Return a row for every model and case.

    Parameters
    ----------
    pythons : dict of str to str
        A name for each installation, and its Python.
    models : sequence of str
        Files, or names of shipped models.
    photo : Path
        A picture.
    runs : int
        Rounds.
    """
    laps: dict[tuple[str, str], dict[str, list[tuple[float, float]]]] = {
        (model, case): {name: [] for name in pythons}
        for model in models
        for case in CASES
    }
    with tempfile.TemporaryDirectory() as folder:
        caches = {name: Path(folder) / name for name in pythons}
        for place in caches.values():
            place.mkdir()
        for lap in range(-1, runs):  # one that does not count warms the files up
            order = list(pythons) if lap % 2 else list(pythons)[::-1]
            for model in models:
                for case in CASES:
                    for name in order:
                        taken = time_case(
                            pythons[name], case, model, photo, caches[name]
                        )
                        if lap >= 0:
                            laps[model, case][name].append(taken)
    return [
        {
            "model": Path(model).name,
            "case": case,
            "time": _compared(
                {name: [t for t, _ in each] for name, each in both.items()}
            ),
            "cpu": _compared(
                {name: [c for _, c in each] for name, each in both.items()}
            ),
        }
        for (model, case), both in laps.items()
    ]


def _compared(laps: dict[str, list[float]]) -> Json:
    """Return medians, and the last installation minus the first in the same round."""
    each = list(laps.values())
    differences = sorted(
        after - before for before, after in zip(each[0], each[-1], strict=True)
    )
    cut = len(differences) // 4
    return {
        "median_ms": {name: round(median(times), 1) for name, times in laps.items()},
        "difference_ms": round(median(differences), 1),
        "difference_quartiles_ms": [
            round(differences[cut], 1),
            round(differences[-1 - cut], 1),
        ],
        "laps_ms": {name: [round(t, 1) for t in times] for name, times in laps.items()},
    }


def _installations(values: tuple[str, ...]) -> dict[str, str]:
    found = dict(value.partition("=")[::2] for value in values)
    if len(found) < 2 or not all(found.values()):
        raise click.UsageError(
            "expected --python NAME=PYTHON twice, with two names, got "
            f"{', '.join(values) or 'none'}"
        )
    return found


@click.command()
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option(
    "--python",
    "pythons",
    multiple=True,
    metavar="NAME=PYTHON",
    help="An installation to time; give two, the one that is compared with first.",
)
@click.option("--photo", type=PATH, help="A picture.  [default: the first shipped]")
@click.option("--runs", type=click.IntRange(4), default=15, show_default=True)
@click.option("--json", "record", type=PATH, help="Write the record there.")
@click.option("--note", default="", help="What else the record is to say.")
def main(
    models: tuple[str, ...],
    pythons: tuple[str, ...],
    photo: Path | None,
    runs: int,
    record: Path | None,
    note: str,
) -> None:
    """Time `edgeseg run` on a photo, and `Segmenter.open`, in two installations."""
    chosen = photo or sorted(photo_folder().glob("*.jpg"))[0]
    load_before = os.getloadavg()[0]
    installations = _installations(pythons)
    try:
        rows = measure(installations, models, chosen, runs=runs)
    except EdgesegError as error:
        raise click.ClickException(str(error)) from error
    if record is not None:
        values = {
            "runs": rows,
            "models": {
                path.name: {"sha256": sha256(path), "bytes": path.stat().st_size}
                for path in map(find_model, models)
            },
            "photo": chosen.name,
            "protocol": f"{runs} rounds, every case once in each installation, the "
            "order turned around each round; difference is the last minus the first, "
            "the median over the rounds",
            "load_average": {"before": load_before, "after": os.getloadavg()[0]},
            "machine": machine(),
            "note": note,
        }
        write_record(record, values)
    for row in rows:
        click.echo(f"{row['model']:42} {row['case']}")
        for kind in ("time", "cpu"):
            figures = row[kind]
            times = ", ".join(f"{n} {ms:.1f}" for n, ms in figures["median_ms"].items())
            low, high = figures["difference_quartiles_ms"]
            click.echo(
                f"  {kind:5}{times} ms; {figures['difference_ms']:+.1f} "
                f"({low:+.1f}..{high:+.1f})"
            )


if __name__ == "__main__":
    main()
