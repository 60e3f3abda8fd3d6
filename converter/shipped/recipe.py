"""The recipe of the model that ships, as one command that makes it again.

``python -m edgeseg.converter.shipped.recipe START.h5 VOC OUTPUT`` takes START.h5,
DeepLabv3 on MobileNetV2 1.0 for 513 pixels in the layout of the public Keras release,
and VOC, a folder with ``train-320``, ``val`` and ``calibration`` in PASCAL VOC's
layout. OUTPUT gets the teacher, the training and ``animals.tflite`` with its ranges.
Stopped, it goes on with the same command. An hour on two cores; what it gives
differs in the last digits from machine to machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeseg.converter.conversion.conversion import Conversion, convert
from edgeseg.converter.conversion.request import Scoring
from edgeseg.converter.training.finetune import finetune
from edgeseg.converter.training.settings import Network, Pictures, Settings, Teaching
from edgeseg.devices import ConversionError
from edgeseg.runtime import Overrides
from edgeseg.runtime.accuracy.matching import Matching
from edgeseg.runtime.commands.options import PATH
from edgeseg.runtime.pictures.atomic import write_bytes
from edgeseg.runtime.shipped import MODEL_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

CLASSES = ("background", "person", "cat", "dog", "horse", "cow", "sheep")
SIZE = (385, 385)
_FROZEN = "expanded_conv_2_project"  # what makes the decoder's fine features stays


def training(start: Path, voc: Path, teacher: Path) -> Settings:
    """Return the settings that give the start a decoder and seven classes.

    Parameters
    ----------
    start, voc : Path
        See the module.
    teacher : Path
        The start at its own size, as int8: it sees more than 385 pixels show.
    """
    train = voc / "train-320"
    return Settings(
        str(start),
        Pictures(train, val_root=voc / "val", classes=CLASSES),
        network=Network(size=SIZE),
        teaching=Teaching(teacher, rough=train / "train_sbd.txt"),
        freeze_until=_FROZEN,
        epochs=4,
    )


def make(
    start: Path, voc: Path, output: Path, progress: Callable[[str], None]
) -> Conversion:
    """Make the model; see the module.

    Raises
    ------
    ConversionError
        A training was stopped: the same call goes on.
    """
    photos = voc / "calibration" / "JPEGImages"
    teacher = output / "teacher.tflite"
    if not teacher.exists():
        labels = Overrides(labels="pascal-voc")
        convert(
            start,
            calibration=photos,
            output=teacher,
            head="logits-stride",
            overrides=labels,
            progress=progress,
        )
    best = _trained(training(start, voc, teacher), output / "trained", progress)
    float_model = output / f"{MODEL_NAME}.keras"
    write_bytes(float_model, best.read_bytes())
    return convert(
        float_model,
        calibration=photos,
        output=output / f"{MODEL_NAME}.tflite",
        head="logits-stride",
        overrides=Overrides(labels=str(best.parent / "labels.txt")),
        scoring=Scoring(voc / "val", "val", Matching(CLASSES, merge_others=True)),
        save_ranges=output / f"{MODEL_NAME}.ranges.json",
        progress=progress,
    )


def _trained(settings: Settings, folder: Path, progress: Callable[[str], None]) -> Path:
    done = finetune(settings, folder, progress=progress)
    if done.signum is not None:
        raise ConversionError(f"{folder}: stopped; the same command goes on")
    return done.path


@click.command()
@click.argument("start", type=PATH)
@click.argument("voc", type=PATH)
@click.argument("output", type=PATH)
def main(start: Path, voc: Path, output: Path) -> None:
    """Make the model that ships from START.h5 and the pictures in VOC."""
    made = make(start, voc, output, lambda line: click.echo(line, err=True))
    click.echo(f"{made.path}  sha256 {made.sha256}")


if __name__ == "__main__":
    main()
