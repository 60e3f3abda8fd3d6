"""``edgeseg remote USER@HOST logs`` and ``stop``."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Any

import click

from edgeseg.devices import InputError
from edgeseg.devices._printable import printable
from edgeseg.runtime.remote.running import Follower
from edgeseg.runtime.remote.terminal import output_to

if TYPE_CHECKING:
    from edgeseg.runtime.remote.session import Session


def show_logs(session: Session, name: str | None, lines: int, *, follow: bool) -> None:
    """Show what a run printed; with `follow`, until it ends or Ctrl-C.

    Raises
    ------
    InputError
        There is no such run.
    """
    told = _chosen(session, name)
    end = session.ask("tail", run=told["run"], lines=lines)
    shown = output_to(sys.stdout)
    shown.write(end["text"].encode("utf-8", "backslashreplace"))
    shown.flush()
    if follow and told["running"]:
        outputs = {name: output_to(sys.stdout) for name in end["sizes"] or ("log",)}
        try:
            Follower(session, told["run"], outputs, end["sizes"]).watch()
        except KeyboardInterrupt:  # leaves it running
            session.close()
        told = _chosen(session, told["run"])
    click.echo(_state(told), err=True)


def stop_run(session: Session, name: str | None) -> None:
    """End a run; see `show_logs`."""
    told = _chosen(session, name)
    if told["running"]:
        told = session.ask("end", run=told["run"])
    click.echo(_state(told))


def _chosen(session: Session, name: str | None) -> dict[str, Any]:
    """Return what is known of a run; by default the newest that runs, or the newest."""
    runs: list[dict[str, Any]] = session.ask("runs")["runs"]
    host = session.address.host
    if not runs:
        raise InputError(f"nothing has been run on {host} yet")
    if name is None:
        return next((told for told in runs if told["running"]), runs[0])
    found = [told for told in runs if told["run"] == name]
    if not found:
        known = ", ".join(told["run"] for told in runs[:5])
        raise InputError(f"no run {name!r} on {host}; the newest are {known}")
    return found[0]


def _state(told: dict[str, Any]) -> str:
    command = shlex.join(["edgeseg", *told.get("arguments", ())])
    if "arguments" not in told:
        state = "did not start"
    elif told["running"]:
        state = "runs"
    elif "exit" in told:
        state = f"ended with exit code {told['exit']}"
    else:
        state = "was killed, or the board has restarted"
    return f"{told['run']} {state}: {printable(command)}"
