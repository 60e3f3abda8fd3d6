"""``edgeseg remote USER@HOST deploy``: deploy, examine, tell."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from edgeseg.runtime.remote.deploying import deploy
from edgeseg.runtime.remote.errors import RemoteError
from edgeseg.runtime.remote.running import Follower, start
from edgeseg.runtime.remote.shipping import ship_model
from edgeseg.runtime.remote.terminal import outputs

if TYPE_CHECKING:
    from typing_extensions import Buffer

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
        told = {"host": session.address.host, **asdict(deployed), "models": places}
        click.echo(json.dumps({**told, "doctor": _parsed(printed)}, indent=2))
    else:
        shown = outputs()["out"]
        shown.write(printed)
        shown.flush()
    return code


def _doctor(
    session: Session, deployed: Deployed, options: list[str]
) -> tuple[int, bytes]:
    out, err = _Kept(), outputs()["err"]
    run = start(session, deployed.python, ["doctor", *options], told={"inner": True})
    code = Follower(session, run, {"out": out, "err": err}).follow()
    return code, out.getvalue()


class _Kept(io.BytesIO):
    """Keeps what doctor prints, up to a limit."""

    def write(self, data: Buffer, /) -> int:
        if self.tell() > _LONGEST:
            raise RemoteError(f"doctor prints more than {_LONGEST >> 20} MB there")
        return super().write(data)


def _parsed(printed: bytes) -> Any:
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
