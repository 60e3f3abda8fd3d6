"""The commands `model ...`: installed models; parse, call, print."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from edgeseg.devices import InputError
from edgeseg.runtime.commands.model_options import (
    InstallSettings,
    RestartSettings,
    TrialSettings,
)
from edgeseg.runtime.commands.options import FloatRange, settings_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from edgeseg.devices.types import Json

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_DELAY_S = 300.0  # 10,000 boards load a model of 2.6 MB over 1 Gbit/s in 208 s
_NAME = click.option("--name", help="Which model.  [default: the only one]")


@click.group()
def model() -> None:
    """Install models by name, and take one back that falls short.

    A name stands for the installed model wherever a command takes one: edgeseg run
    door camera:0, or model = "door" in a configuration. What comes with edgeseg needs
    no installation: edgeseg models lists it.
    """


@model.command()
@click.argument("source", metavar="FILE|URL")
@settings_options(InstallSettings)
@_JSON
def install(source: str, settings: InstallSettings, as_json: bool) -> None:
    """Install a model, or a new version of one.

    It is fetched beside the one in use; hash, signature, labels and speed are checked;
    then it takes its place in one step, and what runs it is restarted and watched. If
    anything falls short, the model before is in use, as after a power cut at any point.
    """
    from edgeseg.runtime.installation import install as installing
    from edgeseg.runtime.installation.store import InstalledModel, check_name

    own = installing.source_name(source)
    name = check_name(own if settings.name is None else settings.name)
    _check_free(name)
    order, supervisor = settings.order(source), settings.supervisor()
    with _store() as store:
        place = InstalledModel(store / name)
        done = installing.install(place, order, supervisor, _say(as_json))
    _print(done, as_json, _installed_text(done))


@model.command("list")
@_JSON
def list_models(as_json: bool) -> None:
    """Show the installed models and their versions.

    Those that come with edgeseg are in edgeseg models.
    """
    from edgeseg.runtime.installation.manage import overview
    from edgeseg.runtime.installation.store import installed_models, store_folder

    store = store_folder()
    if _is_unfinished(store):
        with _store():
            pass
    found = [overview(each) for each in installed_models(store) if each.present()]
    lines = [f"installed in {store}:"] if found else [f"nothing installed in {store}"]
    for each in found:
        lines += _lines_of(each)
    _print({"store": str(store), "models": found}, as_json, "\n".join(lines))


@model.command()
@_NAME
@click.option(
    "--to",
    metavar="VERSION|HASH",
    help="Which version.  [default: the one that was used before]",
)
@settings_options(RestartSettings)
@click.option("--device", default="auto", show_default=True, help="What runs it.")
@_JSON
def rollback(
    name: str | None,
    to: str | None,
    device: str,
    settings: RestartSettings,
    as_json: bool,
) -> None:
    """Use the version before again."""
    from edgeseg.runtime.installation.manage import chosen_model, roll_back

    supervisor = settings.supervisor()
    with _store() as store:
        place = chosen_model(store, name)
        say = _say(as_json)
        done = roll_back(place, to, device, supervisor, settings.watch, say)
    text = f"{done['name']} is version {done['version']} ({done['sha256'][:12]}) again"
    _print(done, as_json, text)


@model.command()
@click.option("--name", required=True, help="Which model.")
@click.option(
    "--version",
    metavar="VERSION|HASH",
    help="Remove only this version, which must not be in use.",
)
def remove(name: str, version: str | None) -> None:
    """Remove an installed model, or one version of it."""
    from edgeseg.runtime.installation import manage

    with _store() as store:
        removed = manage.remove(manage.chosen_model(store, name), version)
    click.echo(f"removed: {removed}")


@model.command()
@click.argument("address", metavar="MQTT")
@click.option("--name", required=True, help="Which model.")
@click.option(
    "--automatic", is_flag=True, help="Install what is announced without being asked."
)
@click.option(
    "--delay",
    type=FloatRange(0, 86400),
    metavar="SECONDS",
    help="With --automatic: wait a random time of up to this, so that the boards of a "
    f"fleet do not ask one server at one moment.  [default: {_DELAY_S:g}]",
)
@settings_options(TrialSettings)
def follow(
    address: str,
    name: str,
    automatic: bool,
    delay: float | None,
    settings: TrialSettings,
) -> None:
    """Offer to Home Assistant what a fleet's topic announces, and install it.

    MQTT is mqtt://USER@HOST/PREFIX?update=TOPIC: PREFIX as in the address of the run,
    TOPIC that of the fleet. An announcement is retained JSON with name, url, sha256 and
    version. Goes on until it is ended.
    """
    from edgeseg.runtime.installation.store import (
        InstalledModel,
        check_name,
        store_folder,
    )
    from edgeseg.runtime.output.mqtt_package import check_package
    from edgeseg.runtime.pipeline.stopping import stopping_on_signals

    if delay is not None and not automatic:
        raise InputError("--delay needs --automatic: without it an update is asked for")
    check_package()
    from edgeseg.runtime.installation.following import Follower

    _check_free(check_name(name))
    place = InstalledModel(store_folder() / name)
    wait = (_DELAY_S if delay is None else delay) if automatic else None
    follower = Follower(
        address, place, settings.offered, settings.supervisor(), delay_s=wait
    )
    with stopping_on_signals(working=True) as stop:
        follower.follow(stop)


@contextmanager
def _store() -> Iterator[Path]:
    """Give the store, nobody else changing it, and what was unfinished put in order.

    A signal, as of an SSH session that ends, undoes what is under way.
    """
    from edgeseg.runtime.installation.recovery import in_order
    from edgeseg.runtime.installation.store import store_folder
    from edgeseg.runtime.pipeline.stopping import stopping_on_signals

    store = store_folder()
    with (
        stopping_on_signals(),
        in_order(store, lambda line: click.echo(line, err=True)),
    ):
        yield store


def _is_unfinished(store: Path) -> bool:
    """Return whether something is to be put in order, and may be by this user."""
    from edgeseg.runtime.installation.journal import is_unfinished, read_steps
    from edgeseg.runtime.installation.lock import is_locked
    from edgeseg.runtime.installation.store import installed_models

    last = [read_steps(model.journal)[-1:] for model in installed_models(store)]
    found = any(is_unfinished(step) for each in last for step in each)
    return found and os.access(store, os.W_OK) and not is_locked(store)


def _check_free(name: str) -> None:
    from edgeseg.runtime.shipped import MODEL_NAMES

    if name in MODEL_NAMES:
        raise InputError(
            f"{name} is the name of a model that comes with edgeseg: --name gives "
            "yours another"
        )


def _say(as_json: bool) -> Callable[[str], None]:
    return lambda line: click.echo(line, err=as_json)


def _print(values: Json, as_json: bool, text: str) -> None:
    from edgeseg.runtime.json_text import json_text
    from edgeseg.runtime.terminal.console import show

    if as_json:
        click.echo(json_text(values, indent=2))
    else:
        show(text)


def _installed_text(done: Json) -> str:
    what = f"version {done['version']} ({done['sha256'][:12]})"
    if not done["changed"]:
        return f"{done['name']} is {what} already: nothing to do"
    return f"{done['name']} is now {what}: edgeseg run {done['name']} SOURCE"


def _lines_of(found: Json) -> list[str]:
    lines = [f"  {found['name']}  {found['path']}"]
    for each in found["versions"]:
        mark = "*" if each["in_use"] else " "
        lines.append(
            f"  {mark} {each['version']}  {_short(each['sha256'])}  "
            f"{(each['bytes'] or 0) / 1e6:.1f} MB  {_short(each['installed'], 19)}"
        )
    last = found["last"]
    if last:
        reason = f": {last['reason']}" if "reason" in last else ""
        lines.append(f"    last: {last.get('what', '')} {last['step']}{reason}")
    return lines


def _short(value: Any, length: int = 12) -> str:
    return str(value or "")[:length]
