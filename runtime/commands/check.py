"""The command `check`: which processor of a board runs each operator."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import click

from edgeseg.runtime.commands.options import MODEL, device_names
from edgeseg.runtime.terminal.completion import complete_words
from edgeseg.runtime.terminal.console import show

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.placement.result import Placed, Placement


_NAMES = {
    "edgetpu": "Edge TPU",
    "ethosu": "Ethos-U",
    "xnnpack": "XNNPACK",
    "gpu": "GPU",
    "cpu": "CPU",
    "none": "nothing",
}
_ACCELERATORS = {
    "edgetpu": "the Edge TPU",
    "ethosu": "the Ethos-U",
    "xnnpack": "XNNPACK",
    "gpu": "the GPU",
}
_LISTED = 3  # names of operators in one row


@click.command()
@click.argument("model", type=MODEL)
@click.option(
    "--device",
    required=True,
    metavar="NAME",
    shell_complete=complete_words(device_names),
    help="What is to run it: coral (Edge TPU), ethos-u65 or ethos-u85, jetson (GPU), "
    "raspberry_pi, desktop or generic (XNNPACK), or another one that edgeseg devices "
    "lists.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(model: Path, device: str, as_json: bool) -> None:
    """Show which processor of a board runs each operator, and what to change.

    For a Coral, an Ethos-U and a Jetson the answer is predicted from the published
    constraints of their compiler and delegate; for XNNPACK the interpreter of this
    machine is asked.
    """
    from edgeseg.devices.placement import check_model
    from edgeseg.runtime.json_text import json_text
    from edgeseg.runtime.shipped import find_model

    result = check_model(find_model(model), device)
    if as_json:
        click.echo(json_text(result.to_dict(), indent=2))
    else:
        show(placement_text(result))


def placement_text(result: Placement) -> str:
    """Return a table of runs of equal placement, the first obstacle, and advice."""
    lines = [
        f"{result.file} on {result.device}: {result.origin}",
        "",
        f"{'operators':>11}  {'runs on':8}  {'M MACs':>8}  {'MB':>7}  what",
    ]
    for _, run in groupby(result.operators, key=lambda op: op.placement):
        lines.append(_row(list(run)))
    lines += ["", _totals(result)]
    blocker = next((op for op in result.operators if op.blocking), None)
    if blocker is not None:
        lines.append(f"first obstacle: {blocker.title}: {blocker.reason}")
    lines += [f"note: {note}" for note in result.notes]
    for advice in result.advice:
        options = f"\n         edgeseg convert ... {advice.options}"
        lines.append(f"change:  {advice.text}{options if advice.options else ''}")
    return "\n".join(lines)


def _row(run: list[Placed]) -> str:
    first, last = run[0].index, run[-1].index
    span = str(first) if first == last else f"{first}-{last}"
    macs = sum(op.macs for op in run) / 1e6
    size = sum(op.bytes for op in run) / 1e6
    name = _NAMES[run[0].placement]
    return f"{span:>11}  {name:8}  {macs:8.1f}  {size:7.2f}  {_kinds(run)}"


def _kinds(run: list[Placed]) -> str:
    """Name an operator with its shapes, or the most frequent ones of many."""
    if len(run) == 1:
        return f"{run[0].op} {run[0].shapes}"
    counts: dict[str, int] = {}
    for op in run:
        counts[op.op] = counts.get(op.op, 0) + 1
    most = sorted(counts, key=lambda kind: -counts[kind])
    named = ", ".join(f"{counts[kind]} {kind}" for kind in most[:_LISTED])
    return named + (f" and {len(most) - _LISTED} more" if len(most) > _LISTED else "")


def _totals(result: Placement) -> str:
    if all(op.placement == "none" for op in result.operators):
        return f"none of {len(result.operators)} operators is run"
    taken = {op.placement for op in result.operators} & _ACCELERATORS.keys()
    name = next((_ACCELERATORS[each] for each in taken), "the accelerator")
    if not result.on_cpu:
        preposition = "in" if taken == {"xnnpack"} else "on"
        count = len(result.operators)
        return f"all {count} operators {preposition} {name}, in one piece"
    return (
        f"{len(result.on_cpu)} of {len(result.operators)} operators stay on the CPU: "
        f"{result.cpu_macs_share:.1%} of the multiply-adds, "
        f"{result.cpu_bytes_share:.1%} of the bytes moved; {result.partitions} piece"
        f"{'' if result.partitions == 1 else 's'} for {name}, "
        f"{result.hand_overs} hand-over{'' if result.hand_overs == 1 else 's'}"
    )
