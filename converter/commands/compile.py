"""The command `compile`: parse, call, print."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edgeseg.runtime.commands.options import MODEL, PATH
from edgeseg.runtime.json_text import json_text
from edgeseg.runtime.terminal.console import show

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.converter.edgetpu import Compilation


@click.command(name="compile")
@click.argument("model", type=MODEL)
@click.option(
    "--device",
    type=click.Choice(["coral"]),
    required=True,
    help="What to compile for: only a Coral's Edge TPU needs it.",
)
@click.option(
    "-o",
    "--output",
    type=PATH,
    help="The .tflite to write.  [default: MODEL_edgetpu.tflite]",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    default=600,
    show_default=True,
    help="Stop the compiler after so long.",
)
@click.option(
    "--min-runtime",
    type=click.IntRange(10, 14),
    metavar="VERSION",
    help="Oldest Edge TPU runtime that must run it, 10 to 14.  [default: the newest]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def compile_command(
    model: Path,
    device: str,
    output: Path | None,
    timeout: float,
    min_runtime: int | None,
    as_json: bool,
) -> None:
    """Compile an int8 model for a Coral with Google's edgetpu_compiler.

    The compiler must be installed (x86-64 Linux). The manifest of the model is carried
    over; where the compiler maps nothing, nothing is written.
    """
    from edgeseg.converter.edgetpu import compile_model

    result = compile_model(
        model, output=output, timeout_s=timeout, min_runtime=min_runtime
    )
    if as_json:
        click.echo(json_text(result.to_dict(), indent=2))
    else:
        show(_text(result))


def _text(result: Compilation) -> str:
    carried = "manifest carried over" if result.manifest else "it had no manifest"
    lines = [
        f"Edge TPU Compiler {result.version or 'of unknown version'}: "
        f"{result.mapped} of {result.operators} operators mapped"
    ]
    lines += [
        f"  on the CPU: {row.count} {row.op}: {row.status}"
        for row in result.rows
        if not row.mapped
    ]
    return "\n".join([*lines, f"{result.path}  sha256 {result.sha256}  {carried}"])
