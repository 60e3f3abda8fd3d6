"""Virtual environments on the board: whole under their name, or not there."""

import json
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from edgeseg.runtime.remote.board.processes import environments_in_use
from edgeseg.runtime.remote.board.store import BoardError, one_name, place

_KEPT = 2  # environments beside those that run: this one and the one before
_WORTH_TELLING = ("Downloading", "Installing", "Building")


def find(wheel: str, python: str, extras: "list[str]", system: bool) -> "str | None":
    """Return the Python of an environment that has all that is asked for."""
    for path in _environments():
        record = _record(path)
        if (
            record.get("wheel") == wheel
            and record.get("python") == python
            and set(extras) <= set(record.get("extras", ()))
            and (record.get("system") or not system)
        ):
            os.utime(path)  # the newest are kept
            return os.path.join(path, "bin", "python")
    return None


def make(
    report: "Callable[[str], None]",
    key: str,
    python: str,
    has_venv: bool,
    target: str,
    links: "str | None",
    record: "dict[str, Any]",
) -> str:
    """Make an environment and return its Python.

    Parameters
    ----------
    report : callable
        Takes a line of progress.
    key : str
        Name of the environment.
    python : str
        The Python to make it of.
    has_venv : bool
        Whether that has the modules it takes.
    target : str
        What pip installs: a wheel, with extras.
    links : str or None
        Folder of wheels to take instead of an index.
    record : dict
        What `find` compares.
    """
    if not has_venv:
        raise BoardError(
            python + " has no venv module: sudo apt install python3-venv python3-pip"
        )
    final = place("envs", one_name(key))
    temporary = place("envs", f".making-{key}-{os.getpid()}")
    _remove_unfinished()
    try:
        _build(temporary, python, target, links, record, report)
        shutil.rmtree(final, ignore_errors=True)
        os.rename(temporary, final)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    _remove_old(final)
    return os.path.join(final, "bin", "python")


def _build(
    path: str,
    python: str,
    target: str,
    links: "str | None",
    record: "dict[str, Any]",
    report: "Callable[[str], None]",
) -> None:
    report("making an environment with Python " + record["version"])
    venv = [python, "-m", "venv"] + ["--system-site-packages"] * bool(record["system"])
    _run([*venv, path], "the environment cannot be made", report)
    pip = [os.path.join(path, "bin", "python"), "-m", "pip", "install"]
    pip += ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    pip += ["--no-index", "--find-links", links] if links else []
    _run([*pip, target], "pip cannot install there", report)
    with open(os.path.join(path, "edgeseg.json"), "w") as file:
        json.dump(record, file)
    os.sync()


def _run(command: "list[str]", what: str, report: "Callable[[str], None]") -> None:
    """Run a step; end it where the workstation goes away."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    lines: list[str] = []
    try:
        _listen(process, lines, report)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
    if process.returncode != 0:
        raise BoardError(f"{what}: {_reason(lines)}")


def _listen(
    process: "subprocess.Popen[bytes]",
    lines: "list[str]",
    report: "Callable[[str], None]",
) -> None:
    output = process.stdout
    assert output is not None
    pending = b""
    while True:
        ready, _, _ = select.select([output, sys.stdin], [], [])
        if output not in ready:
            raise BoardError("the connection ended")  # nothing else is sent meanwhile
        piece = os.read(output.fileno(), 1 << 16)
        *whole, pending = (pending + piece).split(b"\n")
        for line in whole:
            text = line.decode("utf-8", "replace").strip()
            lines.append(text)
            if text.startswith(_WORTH_TELLING):
                report(text.split(" (from")[0])
        if not piece:
            return


def _reason(lines: "list[str]") -> str:
    errors = [line[7:] for line in lines if line.startswith("ERROR: ")]
    record = errors or [line for line in lines if line]
    full = [line for line in lines if "No space left" in line]
    return (full or record or ["no reason told"])[-1]


def _environments() -> "list[str]":
    folder = os.path.dirname(place("envs", "any"))
    paths = [os.path.join(folder, n) for n in os.listdir(folder) if n[0] != "."]
    return sorted(paths, key=os.path.getmtime, reverse=True)


def _record(path: str) -> "dict[str, Any]":
    try:
        with open(os.path.join(path, "edgeseg.json")) as file:
            record: dict[str, Any] = json.load(file)
    except (OSError, ValueError):
        return {}
    return record


def _remove_unfinished() -> None:
    """Remove what makers left that are no more."""
    folder = os.path.dirname(place("envs", "any"))
    for name in os.listdir(folder):
        pid = name.rpartition("-")[2]
        if name.startswith(".making-") and not os.path.exists("/proc/" + pid):
            shutil.rmtree(os.path.join(folder, name), ignore_errors=True)


def _remove_old(final: str) -> None:
    used = environments_in_use()
    for path in _environments()[_KEPT:]:
        if path not in used and path != final:
            shutil.rmtree(path, ignore_errors=True)
