"""Commands on the board from deployment to the files that come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edgeseg.runtime.remote.bringing import bring
from edgeseg.runtime.remote.deploying import deploy
from edgeseg.runtime.remote.errors import RemoteError
from edgeseg.runtime.remote.running import Follower, start
from edgeseg.runtime.remote.terminal import outputs

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.runtime.remote.calls import Call
    from edgeseg.runtime.remote.deploying import Wanted
    from edgeseg.runtime.remote.session import Session


def run_attached(session: Session, wanted: Wanted, prepare: Callable[[], Call]) -> int:
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
    call = prepare()  # before the deployment: what is missing here is told at once
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


def run_detached(session: Session, wanted: Wanted, prepare: Callable[[], Call]) -> int:
    """Start a command that goes on when the connection ends; see `run_attached`."""
    call = prepare()
    deployed = deploy(session, wanted)
    run = start(session, deployed.python, call.arguments, grace_s=None)
    host = session.address.host
    click.echo(f"runs on {host} as {run}: edgeseg remote {host} logs --follow")
    if call.wanted:
        runs = session.ask("runs")["runs"]
        folder = next((told["folder"] for told in runs if told["run"] == run), None)
        if folder is None:
            raise RemoteError(f"{host} does not know the run {run} that it began")
        click.echo(f"its files are in {folder}/work there")
    return 0
