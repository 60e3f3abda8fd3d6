"""Fuzz all targets, guided by coverage: ``python -m hostile.fuzz``, in ``tests``.

Needs ``pip install atheris`` (https://github.com/google/atheris).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import click
from hostile.fuzz.one import PACKAGES

PATH = click.Path(path_type=Path)
# "#8494  DONE  cov: 255 ft: 679 corp: 48/149Kb ..."
_STATE = re.compile(
    r"^#(\d+)\s+(INITED|DONE|\w+)\s+cov: (\d+) ft: (\d+) corp: (\d+)", re.M
)
_LIMITS = (
    "-timeout=60",  # of instrumented code, on a machine that may be busy
    "-rss_limit_mb=3000",
    "-malloc_limit_mb=1000",
    "-print_final_stats=1",
    "-verbosity=1",
)


_PERIOD_S = 120  # of one process: atheris takes more and more memory


@click.command()
@click.option("--seconds", default=1800, help="For each target.")
@click.option("--targets", default=",".join(PACKAGES), help="As A,B.")
@click.option("--keep", type=PATH, required=True, help="Folder: corpora and findings.")
@click.option(
    "--out", type=PATH, help="Write the figures there; those of other targets stay."
)
def main(seconds: int, targets: str, keep: Path, out: Path | None) -> None:
    """Fuzz targets at the same time. Exit status 1: something was found."""
    names = targets.split(",")
    keep.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(len(names)) as pool:
        each = pool.map(lambda name: _fuzz(name, seconds, keep / name), names)
        found = dict(zip(names, each, strict=True))
    others = json.loads(out.read_text("utf-8")) if out and out.exists() else {}
    record = {
        "atheris": version("atheris"),
        "targets": {**others.get("targets", {}), **found},
    }
    click.echo(json.dumps(record, indent=1))
    if out is not None:
        out.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    if any(figures["findings"] for figures in found.values()):
        sys.exit(1)


def _fuzz(name: str, seconds: int, folder: Path) -> dict[str, int | float]:
    """Return executions, coverage at start and end, and how much was found.

    libFuzzer ends where an input takes too long or too much memory; it is then
    started again for the time that is left.
    """
    folder.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    executions, first, last = 0, None, None
    with (folder / "log.txt").open("w", encoding="utf-8") as log:
        while (left := seconds - (time.monotonic() - begin)) > 1:
            words = [sys.executable, "-m", "hostile.fuzz.one", name, str(folder)]
            options = [f"-max_total_time={round(min(left, _PERIOD_S))}", *_LIMITS]
            start = log.tell()
            status = subprocess.run(
                [*words, *options], stdout=log, stderr=log, check=False
            ).returncode
            log.seek(0, 2)
            text = (folder / "log.txt").read_text("utf-8", "replace")[start:]
            states = _STATE.findall(text)
            if not states:
                raise click.ClickException(f"{name}: status {status}: {text[-500:]}")
            executions += int(states[-1][0])
            first, last = first or states[0], states[-1]
    assert first is not None
    assert last is not None
    stopped = [
        path
        for kind in ("oom", "timeout", "crash")
        for path in folder.glob(f"{kind}-*")
        if path.stat().st_size  # without an input it is what atheris itself has taken
    ]
    return {
        "seconds": round(time.monotonic() - begin),
        "executions": executions,
        "edges_at_start": int(first[2]),
        "edges_at_end": int(last[2]),
        "features_at_start": int(first[3]),
        "features_at_end": int(last[3]),
        "inputs_kept": int(last[4]),
        "findings": len(list(folder.glob("finding-*.txt"))) + len(stopped),
    }


if __name__ == "__main__":
    main()
