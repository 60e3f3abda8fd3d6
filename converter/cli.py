"""The commands of the workstation: parse, call, print."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeseg.runtime.options import (
    PATH,
    chosen_classes,
    override_options,
    overrides_of,
    scoring_options,
)

if TYPE_CHECKING:
    from edgeseg.converter import Conversion


class SizeParam(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """``N`` or ``HxW``: a picture's size in pixels."""

    name = "N|HxW"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Parse the text."""
        if isinstance(value, tuple):
            return value
        try:
            sides = [int(part) for part in value.lower().split("x")]
        except ValueError:
            sides = []
        if len(sides) not in (1, 2) or not all(0 < side < 1 << 14 for side in sides):
            self.fail(f"expected a size such as 257 or 257x513 (H x W), got {value!r}")
        return sides[0], sides[-1]


@click.command()
@click.argument("model", type=PATH)
@click.option("-o", "--output", type=PATH, required=True, help="The .tflite to write.")
@click.option(
    "--calibration",
    type=PATH,
    metavar="DIR|FILE",
    help="Folder of at least 32 photos like those the camera will give, or ranges "
    "that --save-ranges wrote.",
)
@click.option(
    "--recipe",
    default="int8",
    show_default=True,
    help="int8, int8-mixed, int16x8, float16, dynamic-int8 or float32.",
)
@click.option(
    "--head",
    type=click.Choice(["logits", "logits-stride", "labels"]),
    default="logits",
    show_default=True,
    help="Scores at the input's size; scores at the network's grid, upsampled by the "
    "host (fastest on a Coral); or class ids.",
)
@click.option(
    "--io",
    type=click.Choice(["int8", "uint8", "float32"]),
    help="Type of the input, and of scores.  [default: the recipe's]",
)
@click.option(
    "--pooling",
    type=click.Choice(["resize", "tile", "split"]),
    default="resize",
    show_default=True,
    help="How the pooled picture of a DeepLab comes back to the grid: as the model "
    "does; repeated by TILE; or by a convolution cut in two and ADD. The latter two "
    "are exact, and let an Edge TPU run what follows.",
)
@click.option(
    "--size",
    metavar="N|HxW",
    type=SizeParam(),
    help="Take pictures of another size.  [default: the model's own]",
)
@click.option(
    "--arch",
    metavar="NAME",
    help="Network of a weights-only .h5: deeplabv3plus-xception, "
    "deeplabv3plus-mobilenetv2, deeplabv3-mobilenetv2.  [default: by its layers]",
)
@click.option(
    "--output-stride",
    type=click.Choice(["8", "16"]),
    help="Of a weights-only .h5.  [default: by its name, else the release's own]",
)
@click.option(
    "--resize",
    type=click.Choice(["align-corners", "half-pixel", "legacy"]),
    help="How a weights-only .h5 was trained to resize.  [default: align-corners]",
)
@click.option(
    "--trust-model",
    is_flag=True,
    help="Run code that the model file holds (Lambda layers, custom objects).",
)
@click.option(
    "--dataset",
    type=PATH,
    metavar="DIR",
    help="Score float and result on pictures with truth; edgeseg eval --help tells the "
    "layouts.",
)
@scoring_options
@click.option(
    "--max-drop",
    type=click.FloatRange(0, 100),
    metavar="POINTS",
    help="Points of mIoU that may be lost on --dataset; where more are, as few "
    "operators as possible stay in float. Not reachable: nothing is written.",
)
@click.option(
    "--report", type=PATH, metavar="DIR", help="Write report.html and report.json."
)
@click.option(
    "--save-ranges",
    type=PATH,
    metavar="FILE",
    help="Write what calibration found, to convert again without the photos.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    default=3600,
    show_default=True,
    help="Give up after so long.",
)
@click.option(
    "--memory",
    type=click.FloatRange(min=0, min_open=True),
    metavar="GB",
    default=12,
    show_default=True,
    help="Give up over so much memory.",
)
@override_options
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def convert(model: Path, output: Path, as_json: bool, **values: Any) -> None:
    """Turn a Keras model into a verified int8 TFLite file.

    MODEL is a .keras file, an .h5 file (a whole model, or the weights of the public
    Keras DeepLabv3+ release) or a SavedModel folder. The float TFLite model must
    answer like Keras, and every activation of the result must have the type that the
    recipe promises, or nothing is written. Labels, colours and preprocessing go into
    the file.
    """
    from edgeseg.converter import convert as convert_model
    from edgeseg.converter.loading.load import Loading

    stride = values.pop("output_stride")
    loading = Loading(
        arch=values.pop("arch"),
        size=values.pop("size"),
        output_stride=None if stride is None else int(stride),
        resize=values.pop("resize"),
        trust=values.pop("trust_model"),
    )
    result = convert_model(
        model,
        output=output,
        loading=loading,
        scoring=_scoring(values),
        overrides=overrides_of(values),
        timeout_s=values.pop("timeout"),
        memory_gb=values.pop("memory"),
        progress=_Steps(),
        **values,
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

    A DeepLabv3+ of people and animals finds what is on two photos and in a clip made
    of them; with the extra `convert` it is first converted to int8 again and compared
    with the float model. Needs no network, no camera and no data set.
    """
    from edgeseg.converter.demo import run_demo

    click.echo(run_demo(output, progress=_Steps()))


def conversion_text(result: Conversion) -> str:
    """Return a conversion's figures as lines for a terminal."""
    keras, int8 = result.float_parity, result.int8_parity
    activations = ", ".join(f"{c} {d}" for d, c in result.activations.items())
    operators = ", ".join(f"{n} {c}" for n, c in result.operators.items())
    saved = result.bytes_float / result.bytes_out
    lines = [
        f"float TFLite against Keras: {keras.agreement:.3%} of labels agree, scores "
        f"differ by at most {keras.largest_difference:.2g} of {keras.score_range:.3g} "
        f"({keras.images} {result.details['compared_with']})",
        f"{result.details['request']['recipe']} against float: {int8.agreement:.2%} "
        "of labels agree",
        *_accuracy_lines(result.details),
        f"input {result.input_dtype}, output {result.output_dtype}, activations: "
        f"{activations}",
        f"operators: {operators}",
        f"{result.seconds:.0f} s, peak memory {result.peak_bytes / 1e9:.1f} GB",
        f"{result.path}  {result.bytes_out:,} bytes ({saved:.1f} times smaller than "
        f"float)  sha256 {result.sha256}",
    ]
    return "\n".join(lines)


def _accuracy_lines(details: dict[str, Any]) -> list[str]:
    accuracy, budget = details["accuracy"], details["budget"]
    if accuracy is None:
        return []
    drop = accuracy["drop"]
    lines = [
        f"mIoU on {accuracy['images']} pictures of {accuracy['dataset']}/"
        f"{accuracy['split']}, {len(accuracy['classes'])} classes: float "
        f"{100 * accuracy['reference']['miou']:.2f} %, result "
        f"{100 * accuracy['result']['miou']:.2f} %; drop "
        f"{100 * drop['difference']:.2f} points, 95 % interval "
        f"{100 * drop['low']:.2f}..{100 * drop['high']:.2f}"
    ]
    if budget is not None:
        lines.append(f"accuracy budget: {budget['reason']}")
    return lines


def _scoring(values: dict[str, Any]) -> Any:
    """Take the options of scoring out of a command's arguments."""
    from edgeseg.converter.request import Scoring
    from edgeseg.devices import InputError

    names, merge_others = chosen_classes(values)
    dataset, split, max_drop = (
        values.pop(key) for key in ("dataset", "split", "max_drop")
    )
    if dataset is not None:
        classes = None if names is None else tuple(names)
        return Scoring(dataset, split, classes, merge_others, max_drop)
    for option, value in (("max-drop", max_drop), ("classes", names)):
        if value is not None:
            raise InputError(f"--{option} needs --dataset: pictures with truth")
    return None


class _Steps:
    """Progress on standard error: one line a step, with seconds since the start."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def __call__(self, line: str) -> None:
        click.echo(f"[{time.monotonic() - self._start:5.1f} s] {line}", err=True)
