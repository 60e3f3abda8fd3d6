"""The command `finetune`: parse, call, print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from edgeseg.converter.commands.options import declared, take
from edgeseg.converter.training.settings import Network, Pictures, Settings, Teaching
from edgeseg.runtime.commands.options import PATH, add_options
from edgeseg.runtime.json_text import json_text
from edgeseg.runtime.terminal.console import show
from edgeseg.runtime.terminal.progress import TimedLines

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.converter.commands.options import Values
    from edgeseg.converter.training.finetune import Finetuned

_F = TypeVar("_F", bound="Callable[..., object]")


def _options(function: _F) -> _F:
    """Add all settings of a training, in the order in which the help shows them."""
    return add_options(
        function,
        *declared(Pictures, "classes"),
        *declared(Pictures, "split"),
        *declared(Pictures, "val_split"),
        *declared(Pictures, "val_root"),
        *declared(Pictures, "held"),
        *declared(Pictures, "labels"),
        *declared(Pictures, "limit", "val_limit"),
        *declared(Settings, "start_labels"),
        *declared(Network),
        *declared(Settings, "epochs", "freeze_until"),
        *declared(Settings, "int8"),
        *declared(Teaching),
        *declared(Settings, "validate_every", "trust"),
        click.option("--restart", is_flag=True, help="Begin anew instead of going on."),
        click.option(
            "--json", "as_json", is_flag=True, help="Print the result as JSON."
        ),
    )


@click.command()
@click.argument("dataset", type=PATH, metavar="DATASET")
@click.option(
    "-o",
    "--output",
    type=PATH,
    required=True,
    metavar="DIR",
    help="Folder for the model, the log and what it takes to go on.",
)
@click.option(
    "--from",
    "start",
    required=True,
    metavar="FILE|NAME|none",
    help="What to start from: weights of the public Keras DeepLabv3+ release (.h5), a "
    ".keras model, the name of one that comes with edgeseg (animals, voc), or none.",
)
@_options
def finetune(
    dataset: Path, output: Path, restart: bool, as_json: bool, **values: Any
) -> None:
    """Train a network on your own classes.

    \b
    DATASET is a folder with
      images/, masks/ and labels.txt    your own: masks are 8-bit PNGs named like
                                        their pictures, a pixel's value is the line
                                        of its class in labels.txt, counted from 0;
                                        255 is "do not care"
      JPEGImages/, SegmentationClass/   PASCAL VOC, or ADE20K, or Cityscapes
      exports of other tools            COCO, CVAT, Roboflow, LabelMe, YOLO,
                                        Supervisely, Label Studio, masks in colour:
                                        edgeseg dataset shows what it is

    A few dozen pictures are enough to see whether it works, a few hundred for a
    camera that stays in one place. Start from weights that know similar things:
    classes of the same name keep what is known of them, and new ones learn from
    there. Every tenth picture is held out to judge by, unless there is a list
    val.txt.

    \b
    DIR gets
      best.keras     the model with the best validation so far
      labels.txt     its classes, for: edgeseg convert DIR/best.keras
                     --labels DIR/labels.txt --calibration DATASET/images ...
      log.csv        a row an epoch; log.json has all settings and origins
      curves.png     loss and validation
      last/          where it stands: the same command goes on after a kill

    Ctrl-C saves and stops. Times are for a processor; with a graphics card that
    Keras can use, training is some twenty times faster.
    """  # noqa: D301 (click needs the character itself)
    from edgeseg.converter.training.finetune import finetune as run

    settings = settings_of(dataset, values)
    result = run(settings, output, restart=restart, progress=TimedLines(minutes=True))
    if as_json:
        click.echo(json_text(result.to_dict(), indent=2))
    else:
        show(finetuned_text(result))
    if result.signum is not None:
        raise SystemExit(128 + result.signum)


def settings_of(dataset: Path, values: Values) -> Settings:
    """Return the settings that a command line asks for; see `take`."""
    return take(
        Settings,
        values,
        pictures=take(Pictures, values, root=dataset),
        network=take(Network, values),
        teaching=take(Teaching, values),
        start=values.pop("start"),
    )


def finetuned_text(result: Finetuned) -> str:
    """Return what a training made, as lines for a terminal."""
    miou = "none" if result.miou is None else f"{100 * result.miou:.2f} %"
    if result.signum is not None:
        return (
            f"stopped at step {result.steps} of {result.total} and saved: the same "
            f"command goes on; best validation mIoU so far {miou}"
        )
    lines = [
        f"{result.path}  validation mIoU {miou} (epoch {result.epoch}), "
        f"{result.steps} steps in {result.seconds / 60:.1f} min",
        f"next: edgeseg convert {result.path} --labels {result.labels} "
        "--calibration DIR -o MODEL.tflite",
    ]
    if result.never_learnt:
        lines.insert(
            1,
            f"never above 1 % IoU: {', '.join(result.never_learnt)}: add pictures that "
            "show them, train longer, or see thin things finer with a larger --size or "
            "--output-stride 8; --rare 0.8 shows rare classes more often",
        )
    return "\n".join(lines)
