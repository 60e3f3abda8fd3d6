"""The commands `fleet ...`: parse, call, print."""

from __future__ import annotations

from pathlib import Path

import click

from edgeseg.runtime.commands.options import PATH


@click.group()
def fleet() -> None:
    """Install and update many boards with Ansible, in waves.

    Ansible is on this machine alone: pip install 'edgeseg[fleet]'. For one board
    `edgeseg remote` is enough.
    """


@fleet.command()
@click.argument("folder", type=PATH, metavar="DIR")
@click.option(
    "--overwrite",
    is_flag=True,
    help="Replace playbooks and role of a fleet; inventory and variables stay.",
)
def init(folder: Path, overwrite: bool) -> None:
    """Write inventory, variables, playbooks and a role into DIR."""
    from edgeseg.runtime.fleet.files import write_project

    written = write_project(folder, overwrite=overwrite)
    for name, is_new in written.items():
        click.echo(f"{folder / name}{'' if is_new else '  (yours: it stays)'}")
    click.echo(f"Next: the boards into {folder / 'inventory.yaml'}, what they run into")
    click.echo(f"{folder / 'group_vars/boards/settings.yaml'}, then in {folder}:")
    click.echo("  edgeseg fleet pack . --board aarch64-cp311 --extra mqtt")
    click.echo("  ansible-playbook site.yaml")


@fleet.command()
@click.argument("folder", type=PATH, metavar="DIR")
@click.option(
    "--board",
    "boards",
    multiple=True,
    required=True,
    metavar="PROCESSOR-PYTHON",
    help="Kind of board, such as aarch64-cp311 (Raspberry Pi OS 12); may be repeated.",
)
@click.option("--extra", "extras", multiple=True, help="Extra, such as mqtt or web.")
@click.option(
    "--glibc",
    default="2.27",
    show_default=True,
    help="Oldest C library of these boards: with a later one there are newer wheels.",
)
@click.option(
    "--wheel",
    type=PATH,
    help="Wheel of edgeseg.  [default: the edgeseg that runs here]",
)
def pack(
    folder: Path,
    boards: tuple[str, ...],
    extras: tuple[str, ...],
    glibc: str,
    wheel: Path | None,
) -> None:
    """Fetch the wheels that boards need into DIR/wheels, for boards without internet.

    DIR is what `edgeseg fleet init` wrote. Call it again for a new version: the next
    playbook installs it.
    """
    from edgeseg.devices import InputError
    from edgeseg.runtime.fleet.files import CONFIG
    from edgeseg.runtime.fleet.packing import BoardKind, check_glibc
    from edgeseg.runtime.fleet.packing import pack as pack_kind

    kinds = [BoardKind.parse(text) for text in dict.fromkeys(boards)]
    check_glibc(glibc)
    if not (folder / CONFIG).is_file():
        raise InputError(
            f"{folder} is not the folder of a fleet: edgeseg fleet init {folder}"
        )
    for kind in kinds:
        record = pack_kind(folder, kind, wheel=wheel, extras=extras, glibc=glibc)
        files = record["files"]
        click.echo(
            f"{folder / 'wheels' / kind.name}: {record['install']}, {len(files)} wheels"
        )
