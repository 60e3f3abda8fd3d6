"""What ``edgeseg remote USER@HOST`` does, verb by verb: deploy, run, logs, stop."""

from __future__ import annotations

import io
import json
import shlex
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from edgeseg.devices import InputError
from edgeseg.devices.plain_text import printable
from edgeseg.runtime.remote.address import RemoteError
from edgeseg.runtime.remote.deploying import deploy
from edgeseg.runtime.remote.running import Follower, start
from edgeseg.runtime.remote.shipping import bring, ship_model
from edgeseg.runtime.remote.terminal import output_to, outputs

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer

    from edgeseg.devices.types import Json
    from edgeseg.runtime.remote.calls import RemoteCall
    from edgeseg.runtime.remote.deploying import Deployed, Wanted
    from edgeseg.runtime.remote.session import Session


_LONGEST = 4 << 20  # bytes of doctor's report; it has some 5 kB


def deploy_models(
    session: Session, wanted: Wanted, models: tuple[str, ...], *, as_json: bool
) -> int:
    """Deploy, let doctor look at the board, and return its exit code."""
    places = {model: ship_model(session, model) for model in models}
    deployed = deploy(session, wanted)
    if not as_json:
        click.echo(_deployed_text(session.address.host, deployed, places))
    code, printed = _doctor(session, deployed, ["--json"] if as_json else [])
    if as_json:
        record = {"host": session.address.host, **asdict(deployed), "models": places}
        click.echo(json.dumps({**record, "doctor": _parsed(printed)}, indent=2))
    else:
        shown = outputs()["out"]
        shown.write(printed)
        shown.flush()
    return code


def _doctor(
    session: Session, deployed: Deployed, options: list[str]
) -> tuple[int, bytes]:
    out, err = _Kept(), outputs()["err"]
    run = start(session, deployed.python, ["doctor", *options], record={"inner": True})
    code = Follower(session, run, {"out": out, "err": err}).follow()
    return code, out.getvalue()


class _Kept(io.BytesIO):
    """Keeps what doctor prints, up to a limit."""

    def write(self, data: Buffer, /) -> int:
        if self.tell() > _LONGEST:
            raise RemoteError(f"doctor prints more than {_LONGEST >> 20} MB there")
        return super().write(data)


def _parsed(printed: bytes) -> object:
    try:
        return json.loads(printed)
    except ValueError as error:
        raise RemoteError(f"doctor did not end as expected there: {error}") from error
    except RecursionError:
        raise RemoteError("doctor did not end as expected there: no report") from None


def _deployed_text(host: str, deployed: Deployed, places: dict[str, str]) -> str:
    state = "is there already" if deployed.was_there else "installed"
    base = deployed.base.rpartition(" ")
    lines = [
        f"{host}: {deployed.wheel} {state} ({deployed.sha[:16]}; Python {base[2]}, "
        f"{base[0]})"
    ]
    lines += [f"{model}: {place}" for model, place in places.items()]
    return "\n".join(lines)


def show_logs(session: Session, name: str | None, lines: int, *, follow: bool) -> None:
    """Show what a run printed; with `follow`, until it ends or Ctrl-C.

    Raises
    ------
    InputError
        There is no such run.
    """
    record = _chosen(session, name)
    end = session.ask("tail", run=record["run"], lines=lines)
    shown = output_to(sys.stdout)
    shown.write(end["text"].encode("utf-8", "backslashreplace"))
    shown.flush()
    if follow and record["running"]:
        outputs = {name: output_to(sys.stdout) for name in end["sizes"] or ("log",)}
        try:
            Follower(session, record["run"], outputs, end["sizes"]).watch()
        except KeyboardInterrupt:  # leaves it running
            session.close()
        record = _chosen(session, record["run"])
    click.echo(_state(record), err=True)


def stop_run(session: Session, name: str | None) -> None:
    """End a run; see `show_logs`."""
    record = _chosen(session, name)
    if record["running"]:
        record = session.ask("end", run=record["run"])
    click.echo(_state(record))


def _chosen(session: Session, name: str | None) -> Json:
    """Return what is known of a run; by default the newest that runs, or the newest."""
    runs: list[Json] = session.ask("runs")["runs"]
    host = session.address.host
    if not runs:
        raise InputError(f"nothing has been run on {host} yet")
    if name is None:
        return next((record for record in runs if record["running"]), runs[0])
    found = [record for record in runs if record["run"] == name]
    if not found:
        known = ", ".join(record["run"] for record in runs[:5])
        raise InputError(f"no run {name!r} on {host}; the newest are {known}")
    return found[0]


def _state(record: Json) -> str:
    command = shlex.join(["edgeseg", *record.get("arguments", ())])
    if "arguments" not in record:
        state = "did not start"
    elif record["running"]:
        state = "runs"
    elif "exit" in record:
        state = f"ended with exit code {record['exit']}"
    else:
        state = "was killed, or the board has restarted"
    return f"{record['run']} {state}: {printable(command)}"


def run_attached(
    session: Session, wanted: Wanted, prepare: Callable[[], RemoteCall]
) -> int:
    """Run a command there to its end, bring its files, and return its exit code.

    Parameters
    ----------
    session : Session
        The board.
    wanted : Wanted
        What must be deployed.
    prepare : callable
        Copies what the command reads.
    """
    call = prepare()  # before the deployment: what is missing here is an error at once
    deployed = deploy(session, wanted)
    run = start(session, deployed.python, call.arguments)
    code = Follower(session, run, outputs()).follow()
    if call.wanted:
        brought = bring(session, run, call.wanted)
        places = ", ".join(str(output.here) for output in call.wanted)
        if brought:
            files = "1 file" if len(brought) == 1 else f"{len(brought)} files"
            click.echo(f"brought here: {places} ({files})", err=True)
        elif code == 0:
            click.echo(f"nothing was written for {places}", err=True)
    return code


def run_detached(
    session: Session, wanted: Wanted, prepare: Callable[[], RemoteCall]
) -> int:
    """Start a command that goes on when the connection ends; see `run_attached`."""
    call = prepare()
    deployed = deploy(session, wanted)
    run = start(session, deployed.python, call.arguments, grace_s=None)
    host = session.address.host
    click.echo(f"runs on {host} as {run}: edgeseg remote {host} logs --follow")
    if call.wanted:
        runs = session.ask("runs")["runs"]
        folder = next(
            (record["folder"] for record in runs if record["run"] == run), None
        )
        if folder is None:
            raise RemoteError(f"{host} does not know the run {run} that it began")
        click.echo(f"its files are in {folder}/work there")
    return 0
