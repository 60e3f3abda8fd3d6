"""``animals``: people and six animals at 385 pixels, with a decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.converter.conversion.conversion import convert
from edgeseg.converter.shipped.recipes.recipe import SEVEN, Recipe
from edgeseg.converter.training.settings import Network, Pictures, Settings, Teaching
from edgeseg.runtime import Overrides

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edgeseg.converter.shipped.recipes.recipe import Sources

SIZE = (385, 385)
_FROZEN = "expanded_conv_2_project"  # what makes the decoder's fine features stays


def prepare(sources: Sources, progress: Callable[[str], None]) -> None:
    """Make the teacher: the start at its own size, as int8.

    It sees more than 385 pixels show.
    """
    teacher = _teacher(sources)
    if not teacher.exists():
        convert(
            sources.start,
            calibration=sources.photos,
            output=teacher,
            head="logits-stride",
            overrides=Overrides(labels="pascal-voc"),
            progress=progress,
        )


def training(sources: Sources) -> Settings:
    """Return the settings that give the start a decoder and seven classes."""
    train = sources.voc / "train-320"
    return Settings(
        str(sources.start),
        Pictures(train, val_root=sources.voc / "val", classes=SEVEN),
        network=Network(size=SIZE),
        teaching=Teaching(_teacher(sources), rough=train / "train_sbd.txt"),
        freeze_until=_FROZEN,
        rate=3e-5,
        balance=0.0,
        rare=0.0,
        epochs=4,
    )


def _teacher(sources: Sources) -> Path:
    return sources.output / "teacher.tflite"


RECIPE = Recipe("animals", prepare, training)
