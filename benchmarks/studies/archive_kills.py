"""An archive on three nodes while an actor, a node and the driver are killed."""

from __future__ import annotations

import contextlib
import filecmp
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.runtime.archive.areas_table import FOLDER, AreasTable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgeseg.devices.types import Json, Untyped

_NODES = 3
_ACTOR = b"ray::Holder"
_PATIENCE_S = 900.0


def kill_each(model: Path, pictures: Sequence[Path], folder: Path) -> Json:
    """Return what became of an archive for each kind of kill.

    Parameters
    ----------
    model : Path
        The model file.
    pictures : sequence of Path
        Folders and videos.
    folder : Path
        Empty; gets what is written.
    """
    expected = _by_run(model, pictures, folder / "run")
    source = [str(path) for path in pictures]
    found: Json = {"nodes": _NODES, "pictures": len(expected)}
    kills: dict[str, Callable[[Untyped, subprocess.Popen[str]], object]] = {
        "nothing": lambda cluster, driver: None,
        "actor": _kill_actor,
        "node": _kill_node,
        "driver": _kill_driver,
    }
    for name, kill in kills.items():
        out = folder / name
        with _cluster() as cluster:
            command = _command(model, source, out, cluster.address)
            driver = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )
            _wait_for(out, len(expected) // 5, driver)
            kill(cluster, driver)
            text, errors = driver.communicate(timeout=_PATIENCE_S)
            runs = [driver.returncode]
            if name == "driver":
                again = subprocess.run(
                    command, capture_output=True, text=True, encoding="utf-8"
                )
                text, errors = again.stdout, again.stderr
                runs.append(again.returncode)
        found[name] = {
            "exit": runs,
            "summary": json.loads(text) if text.startswith("{") else errors,
            **_compared(out, expected, folder / "run"),
        }
        shutil.rmtree(out)
    return found


def _by_run(model: Path, pictures: Sequence[Path], out: Path) -> dict[str, Json]:
    """Return the rows of ``edgeseg run``, its masks written to a folder."""
    rows: dict[str, Json] = {}
    for path in pictures:
        inside = "" if len(pictures) == 1 else f"{path.stem}/"
        lines = out.with_suffix(".jsonl")
        command = [sys.executable, "-m", "edgeseg", "run", str(model), str(path)]
        command += ["-o", f"masks:{out / inside}", "-o", str(lines)]
        subprocess.run(command, capture_output=True)
        for line in lines.read_text("utf-8").splitlines():
            row = json.loads(line)
            rows[f"{inside}{row['name']}"] = row
        lines.unlink()
    return rows


def _command(model: Path, source: list[str], out: Path, address: str) -> list[str]:
    command = [sys.executable, "-m", "edgeseg", "archive", str(model), *source]
    return [*command, "-o", str(out), "--ray", address, "--json"]


@contextlib.contextmanager
def _cluster() -> Untyped:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    settings = {"num_cpus": 1, "object_store_memory": 80 << 20}
    cluster = Cluster(
        initialize_head=True, head_node_args={**settings, "include_dashboard": False}
    )
    for _ in range(_NODES - 1):
        cluster.add_node(**settings)
    cluster.wait_for_nodes()
    try:
        yield cluster
    finally:
        cluster.shutdown()


def actors_below(pid: int) -> list[int]:
    """Return the actors' processes among the descendants of a process."""
    parents: dict[int, int] = {}
    named = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        one = int(path.parent.name)
        with contextlib.suppress(OSError, IndexError):
            if path.read_bytes().startswith(_ACTOR):
                named.append(one)
            stat = (path.parent / "stat").read_text("utf-8").rpartition(")")[2]
            parents[one] = int(stat.split()[1])
    found = []
    for one in named:
        above: int | None = one
        while above is not None and above != pid:
            above = parents.get(above)
        if above == pid:
            found.append(one)
    return sorted(found)


def _kill_actor(cluster: Untyped, driver: subprocess.Popen[str]) -> None:
    os.kill(actors_below(os.getpid())[0], signal.SIGKILL)


def _kill_node(cluster: Untyped, driver: subprocess.Popen[str]) -> None:
    node = sorted(cluster.worker_nodes, key=str)[0]
    cluster.remove_node(node, allow_graceful=False)


def _kill_driver(cluster: Untyped, driver: subprocess.Popen[str]) -> None:
    driver.kill()


def _masks(out: Path) -> int:
    return sum(len(files) for _, _, files in os.walk(out / "masks"))


def _wait_for(out: Path, masks: int, driver: subprocess.Popen[str]) -> None:
    end_s = time.monotonic() + _PATIENCE_S
    while _masks(out) <= masks and driver.poll() is None and time.monotonic() < end_s:
        time.sleep(0.05)


def _compared(out: Path, expected: dict[str, Json], masks: Path) -> Json:
    """Return how rows and masks of an archive differ from those of a run."""
    from pyarrow import parquet

    rows = parquet.read_table(out / FOLDER).to_pylist()
    by_name = {row["name"]: row for row in rows}
    other_rows = [
        n for n, row in expected.items() if _as_run(by_name.get(n)) != row_of(row)
    ]
    other_masks = [
        name
        for name in expected
        if not (out / "masks" / f"{name}.png").exists()
        or not filecmp.cmp(
            out / "masks" / f"{name}.png", masks / f"{name}.png", shallow=False
        )
    ]
    left = [
        p for _, _, files in os.walk(out) for p in files if p.startswith(".edgeseg")
    ]
    unread = out / "unread.jsonl"
    return {
        "rows": len(rows),
        "twice": len(rows) - len(by_name),
        "missing": len(expected.keys() - AreasTable(out / FOLDER).names()),
        "masks": _masks(out),
        "other_rows": len(other_rows),
        "other_masks": len(other_masks),
        "left_behind": len(left),
        "unread": unread.read_text("utf-8").splitlines() if unread.exists() else [],
    }


def row_of(row: Json) -> Json:
    """Return what a row of ``edgeseg run`` and one of an archive have in common."""
    return {
        "size": [row["height"], row["width"]],
        "classes": [
            [each["id"], each["label"], each["area"], each["share"], each["centroid"]]
            for each in row["classes"]
        ],
    }


def _as_run(row: Json | None) -> Json | None:
    if row is None:
        return None
    classes = [
        {
            **each,
            "share": round(each["share"], 6),
            "centroid": [round(each[f"centroid_{axis}"], 2) for axis in "xy"],
        }
        for each in row["classes"]
    ]
    return row_of({**row, "classes": classes})
