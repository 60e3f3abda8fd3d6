"""``edgeseg service``: a run that systemd keeps on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeseg.devices.process_log import reason_in
from edgeseg.runtime.commands.options import PATH

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.runtime.service.install import Place
    from edgeseg.runtime.service.unit import ServiceUnit


def _place_options(function: Callable[..., None]) -> Callable[..., None]:
    name = click.option(
        "--name", default="edgeseg", show_default=True, help="Name of the service."
    )
    system = click.option(
        "--system", is_flag=True, help="A service of the machine, not of this user."
    )
    return name(system(function))


@click.group()
def service() -> None:
    """Keep a run on: start with the machine, restart when it hangs or fails."""


@service.command()
@click.argument("config", type=PATH)
@_place_options
@click.option("--run-as", metavar="USER", help="Whom a --system service runs as.")
@click.option(
    "--memory-max", default="1G", show_default=True, help="Limit of its memory."
)
@click.option(
    "--watchdog",
    type=click.IntRange(5, 3600),
    default=30,
    show_default=True,
    help="Seconds without a finished frame after which it is started anew.",
)
@click.option("--print", "only_print", is_flag=True, help="Show the unit, write none.")
@click.option("--overwrite", is_flag=True, help="Replace a unit that is not ours.")
def install(
    config: Path,
    name: str,
    system: bool,
    only_print: bool,
    overwrite: bool,
    run_as: str | None,
    memory_max: str,
    watchdog: int,
) -> None:
    """Write a systemd unit that runs `edgeseg run --config CONFIG`."""
    from edgeseg.runtime.commands.camera_tables import cameras_in
    from edgeseg.runtime.commands.config import load_config
    from edgeseg.runtime.commands.run import run
    from edgeseg.runtime.output.secret_files import check_unshared
    from edgeseg.runtime.service.folders import make_folders
    from edgeseg.runtime.service.install import Place, plan_unit, write_unit

    place = Place(name, system)
    arguments = load_config(config, run)
    check_unshared(config)
    unit = plan_unit(
        config,
        arguments,
        list(cameras_in(arguments).values()),
        system=system,
        run_as=run_as,
        memory_max=memory_max,
        watchdog=watchdog,
    )
    text = unit.text()
    if only_print:
        click.echo(text, nl=False)
        return
    make_folders(unit)
    is_new = write_unit(place, text, overwrite=overwrite)
    click.echo(f"{'written' if is_new else 'unchanged'}: {place.path}")
    _say_folders(unit)
    _say_sandbox(unit)
    _enable(place)


@service.command()
@_place_options
def status(name: str, system: bool) -> None:
    """Show whether the service runs, and what it tells of itself."""
    from edgeseg.devices import InputError
    from edgeseg.runtime.service.install import Place, ask_systemd

    place = Place(name, system)
    if not place.path.exists():
        raise InputError(
            f"there is no service {name}: edgeseg service install CONFIG.toml"
        )
    keys = "ActiveState,SubState,StatusText,NRestarts,MemoryCurrent,Result"
    done, said = ask_systemd(place, "show", f"{name}.service", f"--property={keys}")
    click.echo(f"unit: {place.path}")
    click.echo(said if done else f"systemd cannot be asked: {said}")


@service.command()
@_place_options
def remove(name: str, system: bool) -> None:
    """Stop the service and delete its unit."""
    from edgeseg.runtime.service.install import (
        Place,
        ask_systemd,
        check_ours,
        delete_unit,
    )

    place = Place(name, system)
    check_ours(place)
    done, said = ask_systemd(place, "disable", "--now", f"{name}.service")
    delete_unit(place)
    ask_systemd(place, "daemon-reload")
    click.echo(f"removed: {place.path}")
    if not done:
        click.echo(f"It could not be stopped ({_line(said)}): end it if it runs.")


def _enable(place: Place) -> None:
    from edgeseg.runtime.service.install import ask_systemd

    call = " ".join(place.systemctl)
    for step in (("daemon-reload",), ("enable", f"{place.name}.service")):
        done, said = ask_systemd(place, *step)
        if not done:
            click.echo(f"It is not enabled yet ({_line(said)}). Where systemd runs:")
            click.echo(f"  {call} daemon-reload")
            click.echo(f"  {call} enable --now {place.name}.service")
            break
    else:
        click.echo(f"enabled; start it: {call} start {place.name}.service")
    if not place.system:
        click.echo("To run it without a login: loginctl enable-linger")


def _say_folders(unit: ServiceUnit) -> None:
    from edgeseg.runtime.service.folders import unwritable_folders

    user = unit.user or "this user"
    for folder in unwritable_folders(unit):
        click.echo(
            f"{user}, whom the service runs as, cannot write to {folder}: "
            "change its owner"
        )


def _say_sandbox(unit: ServiceUnit) -> None:
    if not unit.namespaces:
        click.echo(
            "This machine gives users no namespaces, so the service's view of files "
            "and devices is not restricted; --system does that."
        )


def _line(text: str) -> str:
    return reason_in(text) or "no reason given"
