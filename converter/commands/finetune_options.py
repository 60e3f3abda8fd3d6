"""The options of ``edgeseg finetune``, by what they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from edgeseg.converter.commands.convert_options import InputSizeParam
from edgeseg.runtime.commands.options import MODEL, PATH, add_options

if TYPE_CHECKING:
    from collections.abc import Callable

_F = TypeVar("_F", bound="Callable[..., Any]")


def data_options(function: _F) -> _F:
    """Add what tells which pictures and which classes."""
    return add_options(
        function,
        click.option(
            "--classes",
            metavar="A,B,C",
            help="Learn these of the data set's classes, in this order; all others "
            "count as background, which then must be among them.  [default: all]",
        ),
        click.option(
            "--split",
            default="train",
            show_default=True,
            help="List of pictures to train on.",
        ),
        click.option(
            "--val-split",
            default="val",
            show_default=True,
            help="List of pictures to validate on.  Without it every tenth picture "
            "is held out.",
        ),
        click.option(
            "--val-dataset",
            type=PATH,
            metavar="DIR",
            help="Where that list is.  [default: in DATASET]",
        ),
        click.option(
            "--labels",
            metavar="NAME|FILE",
            help="What the masks' ids are.  [default: DATASET/labels.txt, else the "
            "layout's own]",
        ),
        click.option(
            "--limit",
            type=click.IntRange(min=1),
            metavar="N",
            help="Train on so many pictures.",
        ),
        click.option(
            "--val-limit",
            type=click.IntRange(min=1),
            metavar="N",
            help="Validate on so many pictures.",
        ),
    )


def network_options(function: _F) -> _F:
    """Add what a weights-only file, or nothing, leaves open."""
    return add_options(
        function,
        click.option(
            "--start-labels",
            metavar="NAME|FILE",
            help="Classes of the start.  [default: labels.txt beside it, else by "
            "their number: 21 pascal-voc, 32 ade20k-mlperf32, 19 cityscapes]",
        ),
        click.option(
            "--size",
            type=InputSizeParam(),
            metavar="N|HxW",
            help="Size of the network's input, 16 * k + 1.  [default: the start's own]",
        ),
        click.option(
            "--output-stride",
            type=click.Choice(["8", "16"]),
            default="16",
            show_default=True,
            help="Of an .h5 or of none: 8 sees finer and takes twice as long.",
        ),
        click.option(
            "--decoder/--no-decoder",
            default=True,
            show_default=True,
            help="DeepLabv3+: sharper outlines. Weights without a decoder get one "
            "that changes nothing at first.",
        ),
        click.option(
            "--decoder-width",
            type=click.IntRange(8, 1024),
            default=96,
            show_default=True,
            help="Channels of a new decoder.",
        ),
        click.option(
            "--low-width",
            type=click.IntRange(4, 256),
            default=32,
            show_default=True,
            help="Channels of the fine features in it.",
        ),
        click.option(
            "--width-multiplier",
            type=click.FloatRange(0.1, 2),
            default=1.0,
            show_default=True,
            help="Width of MobileNetV2 with --from none.",
        ),
    )


def training_options(function: _F) -> _F:
    """Add how to train."""
    positive = click.FloatRange(min=0, min_open=True)
    return add_options(
        function,
        click.option(
            "--epochs",
            type=click.IntRange(min=1),
            help="Times that every picture is seen.  [default: 20, or what --minutes "
            "allow]",
        ),
        click.option(
            "--minutes",
            type=positive,
            help="Take about so long: the steps that fit are counted after the first "
            "few.",
        ),
        click.option(
            "--batch",
            type=click.IntRange(min=1),
            default=8,
            show_default=True,
            help="Pictures of a step.",
        ),
        click.option(
            "--rate",
            type=positive,
            default=3e-5,
            show_default=True,
            help="Largest learning rate of layers that know something.",
        ),
        click.option(
            "--new-rate",
            type=positive,
            default=1e-3,
            show_default=True,
            help="Largest learning rate of new layers.",
        ),
        click.option(
            "--schedule",
            type=click.Choice(["poly", "cosine"]),
            default="poly",
            show_default=True,
            help="How the rates fall to 0.",
        ),
        click.option(
            "--weight-decay",
            type=click.FloatRange(min=0),
            default=1e-4,
            show_default=True,
            help="Of kernels.",
        ),
        click.option(
            "--clip-norm",
            type=positive,
            default=5.0,
            show_default=True,
            help="Largest norm of the gradients.",
        ),
        click.option(
            "--average/--no-average",
            default=True,
            show_default=True,
            help="Validate and keep a running average of the weights.",
        ),
        click.option(
            "--balance",
            is_flag=True,
            help="Weigh rare classes more: by the inverse root of their share.",
        ),
        click.option(
            "--freeze-until",
            metavar="LAYER",
            help="Leave the layers up to this one as they are: faster, and safer with "
            "few pictures (expanded_conv_6_project is half of MobileNetV2).",
        ),
        click.option(
            "--int8",
            type=PATH,
            metavar="PHOTOS",
            help="Train through the rounding of int8, its ranges from these photos: a "
            "short second training, from the best.keras of a first one, at a tenth of "
            "its rate.",
        ),
    )


def teacher_options(function: _F) -> _F:
    """Add a model that is better."""
    share = click.FloatRange(0, 1)
    return add_options(
        function,
        click.option(
            "--teacher",
            type=MODEL,
            metavar="MODEL",
            help="Learn from a better model's answers too (.tflite or Keras).",
        ),
        click.option(
            "--teacher-labels",
            metavar="NAME|FILE",
            help="Its classes.  [default: its own, 21 are pascal-voc]",
        ),
        click.option(
            "--teacher-share",
            type=share,
            default=0.5,
            show_default=True,
            help="What it counts for where there is truth.",
        ),
        click.option(
            "--rough",
            type=PATH,
            metavar="LIST",
            help="A text file with the names of pictures whose masks are rough.",
        ),
        click.option(
            "--rough-share",
            type=share,
            default=0.8,
            show_default=True,
            help="What the teacher counts for on those.",
        ),
    )


def run_options(function: _F) -> _F:
    """Add how the run itself goes."""
    return add_options(
        function,
        click.option(
            "--validate-every",
            type=click.IntRange(min=1),
            default=1,
            show_default=True,
            help="Epochs between validations.",
        ),
        click.option(
            "--save-minutes",
            type=click.FloatRange(min=0),
            default=5.0,
            show_default=True,
            help="Most that a kill can cost.",
        ),
        click.option("--seed", type=int, default=0, show_default=True),
        click.option(
            "--device",
            type=click.Choice(["auto", "cpu", "gpu"]),
            default="auto",
            show_default=True,
            help="Where to train; auto takes a graphics card where Keras finds one.",
        ),
        click.option(
            "--threads",
            type=click.IntRange(1, 1024),
            help="Processor threads (TensorFlow).  [default: all]",
        ),
        click.option(
            "--workers",
            type=click.IntRange(1, 64),
            default=2,
            show_default=True,
            help="Threads that prepare pictures.",
        ),
        click.option(
            "--trust-model",
            "trust",
            is_flag=True,
            help="Run code that the start's file holds.",
        ),
        click.option("--restart", is_flag=True, help="Begin anew instead of going on."),
        click.option(
            "--json", "as_json", is_flag=True, help="Print the result as JSON."
        ),
    )
