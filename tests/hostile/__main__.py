"""Meet edgeseg with hostile inputs: ``python -m hostile``, in ``tests``."""

from __future__ import annotations

import json
import platform
import sys
import tempfile
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click
from hostile.campaign import Campaign
from hostile.catalogue import kinds, shares
from hostile.driver import Driver

from edgeseg.converter.quantization.origin import processor

PATH = click.Path(path_type=Path)
_PACKAGES = (
    "edgeseg", "numpy", "pillow", "opencv-python-headless", "ai-edge-litert", "av",
    "onnxruntime", "paho-mqtt", "starlette", "uvicorn", "keras", "tensorflow", "h5py",
)  # fmt: skip


@click.command()
@click.option("--count", default=10_000, help="Cases over all kinds.")
@click.option("--seed", default=1, help="Decides every input.")
@click.option("--jobs", default=2, help="How many run at a time.")
@click.option("--kinds", "names", help="Only these, as A,B,C.")
@click.option("--only", type=int, help="Only this case of the kinds.")
@click.option("--plain", is_flag=True, help="With --only: no fork, a new process.")
@click.option("--keep", type=PATH, help="Folder for cases with faults.")
@click.option("--out", type=PATH, help="Write a record there.")
@click.option("--fuzz", type=PATH, help="Put what `hostile.fuzz` recorded into it.")
def main(
    count: int,
    seed: int,
    jobs: int,
    names: str | None,
    only: int | None,
    plain: bool,
    keep: Path | None,
    out: Path | None,
    fuzz: Path | None,
) -> None:
    """Run hostile inputs and count what happens.

    A run that was stopped goes on with the same --keep. Exit status 1: something
    happened that may not.
    """
    keep = keep or Path(tempfile.mkdtemp(prefix="hostile-faults-"))
    keep.mkdir(parents=True, exist_ok=True)
    known = kinds()
    wanted = names.split(",") if names else sorted(known)
    chosen = {name: known[name] for name in wanted}
    if only is not None:
        sys.exit(_one(chosen, seed, only, keep, plain))
    campaign = Campaign(keep / "progress.json", seed, keep, click.echo)
    start = datetime.now(timezone.utc)
    found = campaign.run(shares(count, chosen), chosen, jobs)
    record = {"conditions": _conditions(seed, start), **found}
    if fuzz is not None:
        record["coverage_guided"] = json.loads(fuzz.read_text("utf-8"))
    click.echo(_table(found))
    if out is not None:
        out.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    if found["total"]["faults"]:
        click.echo(f"cases with faults: {keep}")
        sys.exit(1)


def _one(chosen: dict, seed: int, number: int, keep: Path, plain: bool) -> int:
    faults = 0
    with (
        tempfile.TemporaryDirectory() as folder,
        Driver(Path(folder), plain=plain) as driver,
    ):
        for name, kind in chosen.items():
            result = driver.run(name, kind, seed, number, keep)
            outcome = result.outcome
            click.echo(f"{name}: edgeseg {' '.join(result.case.argv)}")
            click.echo(f"status {outcome.status}, {outcome.seconds} s")
            click.echo(f"{outcome.stdout[-2000:]}{outcome.stderr[-3000:]}")
            for fault in result.faults:
                click.echo(f"FAULT {fault.rule}: {fault.detail}\n{result.trace}")
            faults += len(result.faults)
    return 1 if faults else 0


def _conditions(seed: int, start: datetime) -> dict:
    return {
        "date": f"{start:%Y-%m-%d}",
        "seed": seed,
        "machine": processor(),
        "python": platform.python_version(),
        "versions": {name: v for name in _PACKAGES if (v := _version(name))},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _table(found: dict) -> str:
    lines = [f"{'kind':16}{'inputs':>8}{'status 0':>10}{'1 or 2':>8}{'s':>8}  faults"]
    for name, kind in found["kinds"].items():
        status = kind["status"]
        refused = status.get("1", 0) + status.get("2", 0)
        faults = ", ".join(f"{k} {v}" for k, v in kind["faults"].items()) or "none"
        lines.append(
            f"{name:16}{kind['inputs']:8}{status.get('0', 0):10}{refused:8}"
            f"{kind['seconds']:8.0f}  {faults}"
        )
    total = found["total"]
    lines.append(f"{'all':16}{total['inputs']:8.0f}{'':18}{total['seconds']:8.0f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
