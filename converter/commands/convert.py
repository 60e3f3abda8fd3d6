"""The commands of the workstation: parse, call, print."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeseg.converter.commands.convert_options import (
    KERAS_MODEL,
    loading_options,
    result_options,
)
from edgeseg.runtime.commands.options import (
    PATH,
    chosen_classes,
    override_options,
    overrides_of,
    scoring_options,
)
from edgeseg.runtime.json_text import json_text

if TYPE_CHECKING:
    from edgeseg.devices.types import Json


@click.command()
@click.argument("model", type=KERAS_MODEL)
@click.option(
    "-o", "--output", type=PATH, required=True, help="The .tflite or .onnx to write."
)
@click.option(
    "--calibration",
    type=PATH,
    metavar="DIR|FILE",
    help="Folder of at least 32 photos like those the camera will give, or ranges "
    "that --save-ranges wrote.",
)
@result_options
@loading_options
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
    """Turn a Keras model into a verified int8 TFLite file, or into ONNX.

    MODEL is a .keras file, an .h5 file (a whole model, or the weights of the public
    Keras DeepLabv3+ release) or a SavedModel folder. The float TFLite model must
    answer like Keras, and every activation of the result must have the type that the
    recipe promises, or nothing is written. Labels, colours and preprocessing go into
    the file. An .onnx file must answer like Keras too, in ONNX Runtime.
    """
    from edgeseg.converter import convert as convert_model
    from edgeseg.converter.conversion.text import conversion_text
    from edgeseg.converter.loading.loading import Loading

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
        json_text(result.to_dict(), indent=2) if as_json else conversion_text(result)
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


def _scoring(values: Json) -> Any:
    """Take the options of scoring out of a command's arguments."""
    from edgeseg.converter.conversion.request import Scoring
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
