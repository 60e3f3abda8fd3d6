"""The command `devices`: parse, call, print."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from edgeseg.devices.types import Json


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def devices(as_json: bool) -> None:
    """Show this board and the devices that --device takes.

    A state is told without opening anything: ready, incomplete (the hardware is there,
    something else is missing) or absent.
    """
    from edgeseg.devices.inventory import inventory
    from edgeseg.runtime.json_text import json_text

    found = inventory()
    click.echo(json_text(found, indent=2) if as_json else inventory_text(found))


def inventory_text(found: Json) -> str:
    """Return the text of an inventory, as people read it."""
    lines = [*_board_lines(found), "", "devices (--device):"]
    width = max(len(entry["device"]) for entry in found["devices"])
    for entry in found["devices"]:
        lines.append(
            f"  {entry['device']:{width}}  {entry['state']:10}  {entry['hint']}"
        )
    profile = found["profile"]
    lines += [
        "",
        f"auto is {found['auto']}: recipe {', '.join(profile['recipes'])}; "
        f"head {', '.join(profile['heads'])}; size {', '.join(profile['sizes'])}; "
        f"camera {profile['camera']}",
        *(f"  - {advice}" for advice in profile["advice"]),
        *(f"  $ {command}" for command in profile["install"]),
        f"  verified: {profile['verified']}",
    ]
    return "\n".join(lines)


def _board_lines(found: Json) -> list[str]:
    board, runtime = found["board"], found["interpreter"]
    memory = board["memory_bytes"]
    return [
        f"board        {board['model'] or 'unknown'} ({board['kind']})",
        f"system       {board['system'] or 'unknown'}, {board['architecture']}, "
        f"{board['bits']} bit",
        f"chip         {board['soc'] or 'unknown'}, {board['processor'] or 'unknown'}",
        *(f"cores        {_cores(group)}" for group in found["cores"]),
        f"memory       {f'{memory / 2**30:.1f} GiB' if memory else 'unknown'}",
        f"interpreter  {runtime['name']} {runtime['version']}"
        if runtime
        else "interpreter  none: pip install ai-edge-litert",
    ]


def _cores(group: Json) -> str:
    name = group["name"] or "core"
    clock = f" up to {group['max_mhz']:.0f} MHz" if group["max_mhz"] else ""
    size = "" if group["is_big"] else ", small: left to the system by default"
    return f"{len(group['processors'])} x {name}{clock}{size}"
