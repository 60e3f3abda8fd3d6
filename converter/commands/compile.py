"""The command `compile`: parse, call, print."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edgeseg.runtime.commands.options import MODEL, PATH, FloatRange
from edgeseg.runtime.json_text import json_text
from edgeseg.runtime.terminal.completion import complete_words
from edgeseg.runtime.terminal.console import show

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.converter.compilation.contract import Estimate, Memory
    from edgeseg.converter.compilation.result import Compilation


def _targets() -> tuple[str, ...]:
    from edgeseg.converter.compilation.compile import targets

    return targets()


@click.command(name="compile")
@click.argument("model", type=MODEL)
@click.option(
    "--device",
    metavar="NAME",
    required=True,
    shell_complete=complete_words(_targets),
    help="What to compile for: coral, imx500, rk3588 and other Rockchip processors, or "
    "an Arm chip with its size, such as ethos-u65-512 or ethos-u85-256.",
)
@click.option(
    "-o",
    "--output",
    type=PATH,
    help="The file to write.  [default: MODEL_edgetpu.tflite, MODEL_vela.tflite, "
    "MODEL_imx500.zip, MODEL_rknn.rknn]",
)
@click.option(
    "--timeout",
    type=FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    default=600,
    show_default=True,
    help="Stop the compiler after so long.",
)
@click.option(
    "--calibration",
    type=PATH,
    metavar="DIR",
    help="IMX500: at least 32 photos like those the camera will give.",
)
@click.option(
    "--min-runtime",
    type=click.IntRange(10, 14),
    metavar="VERSION",
    help="Coral: oldest Edge TPU runtime that must run it, 10 to 14.  [default: the "
    "newest]",
)
@click.option(
    "--system-config",
    metavar="NAME",
    help="Ethos-U: clocks and buses of the board, as Vela names them.  [default: "
    "Vela's for the chip]",
)
@click.option(
    "--memory-mode",
    metavar="NAME",
    help="Ethos-U: memories of the board, as Vela names them.  [default: Vela's for "
    "the chip]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def compile_command(
    model: Path,
    device: str,
    output: Path | None,
    timeout: float,
    calibration: Path | None,
    min_runtime: int | None,
    system_config: str | None,
    memory_mode: str | None,
    as_json: bool,
) -> None:
    """Compile a model for a chip with the chip's own compiler.

    The compiler must be installed: Google's edgetpu_compiler for a Coral, Arm's Vela
    (pip install ethos-u-vela) for an Ethos-U, Sony's imxconv-tf for an IMX500,
    Rockchip's rknn-toolkit2 for its processors. The model is int8, for an IMX500
    float32, for Rockchip an .onnx file. The manifest is carried over into a .tflite,
    and written beside a .rknn; where the compiler maps nothing, nothing is written.
    """
    from edgeseg.converter.compilation.compile import compile_model
    from edgeseg.converter.compilation.contract import Request

    result = compile_model(
        model,
        device,
        output=output,
        timeout_s=timeout,
        request=Request(
            min_runtime=min_runtime,
            system_config=system_config,
            memory_mode=memory_mode,
            calibration=calibration,
        ),
    )
    if as_json:
        click.echo(json_text(result.to_dict(), indent=2))
    else:
        show(_text(result))


def _text(result: Compilation) -> str:
    answer = result.answer
    carried = _carried(result)
    lines = [
        f"{result.title} {answer.version or 'of unknown version'} for {result.device}: "
        f"{answer.mapped} of {answer.total} operators mapped"
    ]
    lines += [
        f"  on the CPU: {row.count} {row.op}: {row.status}"
        for row in answer.rows
        if not row.mapped
    ]
    if answer.estimate is not None:
        lines.append(_estimate(answer.estimate, result.title))
    if answer.memory is not None:
        lines.append(_memory(answer.memory))
    if answer.agreement is not None:
        lines.append(f"it keeps {answer.agreement:.2%} of {answer.agreement_text}")
    return "\n".join([*lines, f"{result.path}  sha256 {result.sha256}  {carried}"])


def _carried(result: Compilation) -> str:
    """Return where labels and colours are now."""
    if result.answer.manifest:
        return f"labels in {result.path.name}.json"
    if result.answer.agreement is not None:
        return "labels stay with the model"
    return "manifest carried over" if result.manifest else "it had no manifest"


def _memory(found: Memory) -> str:
    share = found.used_kib / found.available_kib if found.available_kib else 0.0
    return (
        f"memory: {found.used_kib:.0f} of {found.available_kib:.0f} KiB ({share:.0%}): "
        f"{found.weights_kib:.0f} for weights, {found.activations_kib:.0f} for "
        "activations"
    )


def _estimate(found: Estimate, title: str) -> str:
    return (
        f"estimated by {title}, not measured: {found.milliseconds:.1f} ms an inference "
        f"({found.cycles / 1e6:.2f} M cycles at {found.clock_mhz:g} MHz), "
        f"{found.sram_kib:.0f} KiB of SRAM, {found.dram_kib:.0f} KiB of DRAM; system "
        f"{found.system_config}, memory mode {found.memory_mode}"
    )
