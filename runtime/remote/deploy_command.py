"""``edgeseg remote USER@HOST deploy``: deploy, examine, tell."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from edgeseg.runtime.remote.deploying import deploy
from edgeseg.runtime.remote.errors import RemoteError
from edgeseg.runtime.remote.running import Follower, start
from edgeseg.runtime.remote.shipping import ship_model

if TYPE_CHECKING:
    from edgeseg.runtime.remote.deploying import Deployed, Wanted
    from edgeseg.runtime.remote.session import Session


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
        told = {"host": session.address.host, **asdict(deployed), "models": places}
        click.echo(json.dumps({**told, "doctor": _parsed(printed)}, indent=2))
    else:
        click.echo(printed, nl=False)
    return code


def _doctor(
    session: Session, deployed: Deployed, options: list[str]
) -> tuple[int, str]:
    out, err = io.BytesIO(), sys.stderr.buffer
    run = start(session, deployed.python, ["doctor", *options], told={"inner": True})
    code = Follower(session, run, {"out": out, "err": err}).follow()
    return code, out.getvalue().decode("utf-8", "replace")


def _parsed(printed: str) -> Any:
    try:
        return json.loads(printed)
    except ValueError as error:
        raise RemoteError(f"doctor did not end as expected there: {error}") from error


def _deployed_text(host: str, deployed: Deployed, places: dict[str, str]) -> str:
    state = "is there already" if deployed.was_there else "installed"
    base = deployed.base.rpartition(" ")
    lines = [
        f"{host}: {deployed.wheel} {state} ({deployed.sha[:16]}; Python {base[2]}, "
        f"{base[0]})"
    ]
    lines += [f"{model}: {place}" for model, place in places.items()]
    return "\n".join(lines)
