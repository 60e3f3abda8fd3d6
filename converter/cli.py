"""The commands of the workstation: parse, call, print."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeseg.runtime.options import PATH, override_options, overrides_of

if TYPE_CHECKING:
    from edgeseg.converter import Conversion


@click.command()
@click.argument("model", type=PATH)
@click.option(
    "--calibration",
    type=PATH,
    required=True,
    metavar="DIR",
    help="Folder of at least 32 photos like those the camera will give.",
)
@click.option(
    "-o", "--output", type=PATH, required=True, help="The .tflite file to write."
)
@click.option(
    "--recipe", default="int8", show_default=True, help="Quantization settings."
)
@override_options
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def convert(
    model: Path,
    calibration: Path,
    output: Path,
    recipe: str,
    as_json: bool,
    **values: Any,
) -> None:
    """Turn a Keras model into a verified int8 TFLite file.

    MODEL is a .keras file with a fixed input size. The float TFLite model must
    answer like Keras on the calibration photos, and every activation of the result
    must be int8, or nothing is written. Labels, colours and preprocessing go into
    the file.
    """
    from edgeseg.converter import convert as convert_model

    result = convert_model(
        model,
        calibration=calibration,
        output=output,
        recipe=recipe,
        overrides=overrides_of(values),
        progress=_Steps(),
    )
    click.echo(
        json.dumps(result.to_dict(), indent=2) if as_json else conversion_text(result)
    )


@click.command()
@click.option(
    "-o",
    "--output",
    type=PATH,
    default=Path("demo"),
    show_default=True,
    help="Folder for everything that is made.",
)
def demo(output: Path) -> None:
    """Show the whole path on the model that comes with edgeseg.

    A small DeepLabv3+ that was trained on drawn shapes is converted to int8, scored
    against the float model on scenes with known truth, and run on a short clip.
    Needs no network, no camera and no data set.
    """
    from edgeseg.converter.demo import run_demo

    click.echo(run_demo(output, progress=_Steps()))


def conversion_text(result: Conversion) -> str:
    """Return a conversion's figures as lines for a terminal."""
    keras, int8 = result.float_parity, result.int8_parity
    activations = ", ".join(f"{c} {d}" for d, c in result.activations.items())
    operators = ", ".join(f"{n} {c}" for n, c in result.operators.items())
    saved = result.bytes_float / result.bytes_out
    return "\n".join(
        [
            f"float TFLite against Keras: {keras.agreement:.3%} of labels agree, "
            f"scores differ by at most {keras.largest_difference:.2g} of "
            f"{keras.score_range:.3g} ({keras.images} pictures)",
            f"int8 against float: {int8.agreement:.2%} of labels agree",
            f"input {result.input_dtype}, output {result.output_dtype}, activations: "
            f"{activations}",
            f"operators: {operators}",
            f"{result.path}  {result.bytes_out:,} bytes ({saved:.1f} times smaller "
            f"than float)  sha256 {result.sha256}",
        ]
    )


class _Steps:
    """Progress on standard error: one line a step, with seconds since the start."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def __call__(self, line: str) -> None:
        click.echo(f"[{time.monotonic() - self._start:5.1f} s] {line}", err=True)
