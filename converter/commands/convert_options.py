"""The options of ``edgeseg convert``, by what they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from edgeseg.runtime.commands.options import ModelParam, add_options
from edgeseg.runtime.terminal.completion import complete_words

if TYPE_CHECKING:
    from collections.abc import Callable

_F = TypeVar("_F", bound="Callable[..., Any]")


class InputSizeParam(click.ParamType):  # type: ignore[type-arg, unused-ignore]
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


class KerasParam(ModelParam):
    """A Keras model, or the name of the one that comes with the package."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """Return the path; a file of that name comes first."""
        from edgeseg.converter.shipped import find_keras

        return super().convert(find_keras(value), param, ctx)


KERAS_MODEL = KerasParam()


def _recipes() -> tuple[str, ...]:
    from edgeseg.converter.recipes import recipe_names

    return tuple(recipe_names())


def result_options(function: _F) -> _F:
    """Add what tells what is to come out."""
    return add_options(
        function,
        click.option(
            "--format",
            type=click.Choice(["tflite", "onnx"]),
            help="onnx is the float32 network for jetson:tensorrt, which makes half "
            "precision of it on the board; int8 is not for it.  [default: by the "
            "output's suffix]",
        ),
        click.option(
            "--recipe",
            shell_complete=complete_words(_recipes),
            help="int8, int8-mixed, int16x8, float16, dynamic-int8 or float32.  "
            "[default: int8; of onnx float32]",
        ),
        click.option(
            "--head",
            type=click.Choice(["logits", "logits-stride", "labels"]),
            default="logits",
            show_default=True,
            help="Scores at the input's size; scores at the network's grid, upsampled "
            "by the host (fastest on a Coral); or class ids.",
        ),
        click.option(
            "--io",
            type=click.Choice(["int8", "uint8", "float32"]),
            help="Type of the input, and of scores.  [default: the recipe's]",
        ),
        click.option(
            "--pooling",
            type=click.Choice(["resize", "tile", "split"]),
            default="resize",
            show_default=True,
            help="How the pooled picture of a DeepLab comes back to the grid: as the "
            "model does; repeated by TILE; or by a convolution cut in two and ADD. The "
            "latter two are exact, and let an Edge TPU run what follows.",
        ),
    )


def loading_options(function: _F) -> _F:
    """Add what tells how the model is to be read."""
    return add_options(
        function,
        click.option(
            "--size",
            metavar="N|HxW",
            type=InputSizeParam(),
            help="Take pictures of another size.  [default: the model's own]",
        ),
        click.option(
            "--arch",
            metavar="NAME",
            help="Network of a weights-only .h5: deeplabv3plus-xception, "
            "deeplabv3plus-mobilenetv2, deeplabv3-mobilenetv2.  [default: by its "
            "layers]",
        ),
        click.option(
            "--output-stride",
            type=click.Choice(["8", "16"]),
            help="Of a weights-only .h5.  [default: by its name, else the release's "
            "own]",
        ),
        click.option(
            "--resize",
            type=click.Choice(["align-corners", "half-pixel", "legacy"]),
            help="How a weights-only .h5 was trained to resize.  [default: "
            "align-corners]",
        ),
        click.option(
            "--trust-model",
            is_flag=True,
            help="Run code that the model file holds (Lambda layers, custom objects).",
        ),
    )
