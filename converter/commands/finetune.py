"""The command that trains: parse, call, print."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeseg.converter.commands.finetune_options import (
    data_options,
    network_options,
    run_options,
    teacher_options,
    training_options,
)
from edgeseg.runtime.commands.options import PATH
from edgeseg.runtime.json_text import json_text

if TYPE_CHECKING:
    from edgeseg.converter.training.finetune import Finetuned
    from edgeseg.converter.training.settings import Settings
    from edgeseg.devices.types import Json


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
    metavar="FILE|animals|none",
    help="What to start from: weights of the public Keras DeepLabv3+ release (.h5), a "
    ".keras model, animals for the one that comes with edgeseg, or none.",
)
@data_options
@network_options
@training_options
@teacher_options
@run_options
def finetune(dataset: Path, output: Path, **values: Any) -> None:
    """Train a network on your own classes.

    \b
    DATASET is a folder with
      images/, masks/ and labels.txt    your own: masks are 8-bit PNGs named like
                                        their pictures, a pixel's value is the line
                                        of its class in labels.txt, counted from 0;
                                        255 is "do not care"
      JPEGImages/, SegmentationClass/   PASCAL VOC, or ADE20K, or Cityscapes

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

    as_json, restart = values.pop("as_json"), values.pop("restart")
    settings = settings_of(dataset, values)
    result = run(settings, output, restart=restart, progress=_Lines())
    click.echo(
        json_text(result.to_dict(), indent=2) if as_json else finetuned_text(result)
    )
    if result.signum is not None:
        raise SystemExit(128 + result.signum)


def settings_of(dataset: Path, values: Json) -> Settings:
    """Return the settings that a command line asks for.

    Parameters
    ----------
    dataset : Path
        The folder.
    values : dict
        The other arguments, by name.
    """
    from edgeseg.converter.training.settings import Pictures, Settings, Teaching
    from edgeseg.converter.training.start.network import Network

    classes = values.pop("classes")
    names = tuple(n.strip() for n in classes.split(",")) if classes else None
    keys = ("split", "val_split", "labels", "limit", "val_limit")
    pictures = Pictures(
        root=dataset,
        val_root=values.pop("val_dataset"),
        classes=names,
        **{key: values.pop(key) for key in keys},
    )
    teaching = Teaching(
        model=values.pop("teacher"),
        labels=values.pop("teacher_labels"),
        share=values.pop("teacher_share"),
        rough=values.pop("rough"),
        rough_share=values.pop("rough_share"),
    )
    keys = ("size", "decoder", "decoder_width", "low_width", "width_multiplier")
    network = Network(
        output_stride=int(values.pop("output_stride")),
        **{key: values.pop(key) for key in keys},
    )
    return Settings(pictures=pictures, teaching=teaching, network=network, **values)


def finetuned_text(result: Finetuned) -> str:
    """Return what a training made, as lines for a terminal."""
    miou = "none" if result.miou is None else f"{100 * result.miou:.2f} %"
    if result.signum is not None:
        return (
            f"stopped at step {result.steps} of {result.total} and saved: the same "
            f"command goes on; best validation mIoU so far {miou}"
        )
    return "\n".join(
        [
            f"{result.path}  validation mIoU {miou} (epoch {result.epoch}), "
            f"{result.steps} steps in {result.seconds / 60:.1f} min",
            f"next: edgeseg convert {result.path} --labels {result.labels} "
            "--calibration DIR -o MODEL.tflite",
        ]
    )


class _Lines:
    """Progress on standard error: one line now and then, with minutes since then."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def __call__(self, line: str) -> None:
        passed = (time.monotonic() - self._start) / 60
        click.echo(f"[{passed:6.1f} min] {line}", err=True)
