"""The commands `convert` and `demo`: parse, call, print."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from edgeseg.converter.commands.options import KERAS_MODEL, declared, take
from edgeseg.converter.conversion.request import (
    Request,
    Scoring,
    default_recipe,
    format_of,
)
from edgeseg.converter.loading.format import Loading
from edgeseg.devices import InputError
from edgeseg.runtime.commands.options import (
    PATH,
    FloatRange,
    add_options,
    matching_of,
    override_options,
    overrides_of,
    scoring_options,
)
from edgeseg.runtime.json_text import json_text
from edgeseg.runtime.terminal.console import show
from edgeseg.runtime.terminal.progress import TimedLines

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.devices.types import Json

_F = TypeVar("_F", bound="Callable[..., object]")


def _model_options(function: _F) -> _F:
    """Add what is made of the model, and how it is loaded."""
    return add_options(
        function,
        *declared(Request, "calibration"),
        *declared(Request, "format"),
        *declared(Request, "recipe", "pooling"),
        *declared(Loading, "size"),
        *declared(Loading, "arch"),
        *declared(Loading, "output_stride", "custom_objects"),
    )


def _goal_options(function: _F) -> _F:
    """Add what may be lost, and where the figures go."""
    return add_options(
        function, *declared(Scoring, "max_drop"), *declared(Request, "report")
    )


@click.command()
@click.argument("model", type=KERAS_MODEL)
@click.option(
    "-o", "--output", type=PATH, required=True, help="The .tflite or .onnx to write."
)
@_model_options
@click.option(
    "--dataset",
    type=PATH,
    metavar="DIR",
    help="Score float and result on pictures with truth; edgeseg eval --help tells the "
    "layouts.",
)
@scoring_options
@_goal_options
@click.option(
    "--save-ranges",
    type=PATH,
    metavar="FILE",
    help="Write what calibration found, to convert again without the photos.",
)
@click.option(
    "--timeout",
    type=FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    default=3600,
    show_default=True,
    help="Give up after so long.",
)
@click.option(
    "--memory",
    type=FloatRange(min=0, min_open=True),
    metavar="GB",
    default=12,
    show_default=True,
    help="Give up over so much memory.",
)
@override_options
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def convert(model: Path, output: Path, as_json: bool, **values: Any) -> None:
    """Turn a Keras or .tflite model into a verified int8 TFLite file, or into ONNX.

    MODEL is a .keras file, an .h5 file (a whole model, or the weights of the public
    Keras DeepLabv3+ release), a SavedModel folder, or a .tflite file: a float one, or a
    quantized one, which is quantized anew. The float TFLite model must
    answer like Keras, and every activation of the result must have the type that the
    recipe promises, or nothing is written. Labels, colours and preprocessing go into
    the file. An .onnx file must answer like Keras too, in ONNX Runtime; with --recipe
    int8 its values pass through int8 steps, which TensorRT computes with.
    """
    from edgeseg.converter.conversion.conversion import convert_request
    from edgeseg.converter.conversion.text import conversion_text
    from edgeseg.converter.frameworks import require_extra

    scoring, overrides = _scoring(values), overrides_of(values)
    require_extra()
    chosen = format_of(output, values.pop("format"))
    request = take(
        Request,
        values,
        model=model,
        recipe=values.pop("recipe") or default_recipe(chosen),
        loading=replace(take(Loading, values), output_name=overrides.output_name),
        overrides=overrides,
        scoring=scoring,
        format=chosen,
    )
    result = convert_request(
        request,
        output,
        save_ranges=values.pop("save_ranges"),
        timeout_s=values.pop("timeout"),
        memory_gb=values.pop("memory"),
        progress=TimedLines(),
    )
    if as_json:
        click.echo(json_text(result.to_dict(), indent=2))
    else:
        show(conversion_text(result))


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

    click.echo(run_demo(output, progress=TimedLines()))


def _scoring(values: Json) -> Scoring | None:
    """Take the options of scoring out of a command's arguments."""
    matching = matching_of(values)
    dataset, split, max_drop = (
        values.pop(key) for key in ("dataset", "split", "max_drop")
    )
    if dataset is not None:
        return Scoring(dataset, split, matching, max_drop)
    for option, value in (("max-drop", max_drop), ("classes", matching.classes)):
        if value is not None:
            raise InputError(f"--{option} needs --dataset: pictures with truth")
    return None
