"""An archive on three nodes while an actor, a node and the driver are killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from edgeseg.benchmarks.studies.archive.comparing import by_run, compared, masks_in
from edgeseg.benchmarks.studies.archive.nodes import COUNT, Nodes, kill_program
from edgeseg.benchmarks.studies.archive.processes import family

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from edgeseg.devices.types import Json

KINDS = "nothing", "actor", "node", "driver", "all nodes"
_PATIENCE_S = 900.0


def kill_each(
    model: Path,
    pictures: Sequence[Path],
    folder: Path,
    *,
    only: Sequence[str] = KINDS,
) -> Iterator[Json]:
    """Yield what became of an archive, for one kind of kill after the other.

    Parameters
    ----------
    model : Path
        The model file.
    pictures : sequence of Path
        Folders and videos.
    folder : Path
        Empty; gets what is written.
    only : sequence of str
        Of `KINDS`.
    """
    expected = by_run(model, pictures, folder / "run")
    source = [str(path) for path in pictures]
    kills: dict[str, Callable[[Nodes, subprocess.Popen[str]], object]] = {
        "nothing": lambda nodes, driver: None,
        "actor": lambda nodes, driver: _kill_actor(),
        "node": lambda nodes, driver: nodes.kill_node(1),
        "driver": lambda nodes, driver: kill_program(driver),
        "all nodes": _kill_all,
    }
    for name in only:
        out = folder / name
        with ExitStack() as stack:
            nodes = stack.enter_context(Nodes())
            found: Json = {"pictures": len(expected), "nodes": COUNT, "in": nodes.kind}
            command = _command(model, source, out, nodes.address)
            driver = nodes.start(command)
            _wait_for(out, len(expected) // 5, driver)
            done = masks_in(out)
            kills[name](nodes, driver)
            text, errors = driver.communicate(timeout=_PATIENCE_S)
            runs = [driver.returncode]
            if name == "all nodes":
                nodes.close()
                nodes = stack.enter_context(Nodes())
            if name in ("driver", "all nodes"):
                driver = nodes.start(command)
                text, errors = driver.communicate(timeout=_PATIENCE_S)
                runs.append(driver.returncode)
        found[name] = {
            "exit": runs,
            "masks_at_the_kill": done,
            "summary": json.loads(text) if text.startswith("{") else errors,
            **compared(out, expected, folder / "run"),
        }
        yield found
        shutil.rmtree(out)


def _command(model: Path, source: list[str], out: Path, address: str) -> list[str]:
    command = [sys.executable, "-m", "edgeseg", "archive", str(model), *source]
    return [*command, "-o", str(out), "--ray", address, "--json"]


def _kill_actor() -> None:
    # the one that has done most is at work, not about to begin
    actors = family(os.getpid())["actors"]
    busiest = max(actors, key=lambda process: process.cpu_s)
    os.kill(busiest.pid, signal.SIGKILL)


def _kill_all(nodes: Nodes, driver: subprocess.Popen[str]) -> None:
    kill_program(driver)
    for number in reversed(range(COUNT)):
        nodes.kill_node(number)


def _wait_for(out: Path, masks: int, driver: subprocess.Popen[str]) -> None:
    end_s = time.monotonic() + _PATIENCE_S
    while masks_in(out) <= masks and driver.poll() is None and time.monotonic() < end_s:
        time.sleep(0.05)
