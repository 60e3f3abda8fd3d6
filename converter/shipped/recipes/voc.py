"""``voc``: all 21 classes of PASCAL VOC at 513 pixels, from a better self.

The teacher is the start itself, asked at three sizes and mirrored: the mean of six
answers is two points better than any of them. It keeps the classes that the pictures
have few of or none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edgeseg.converter.shipped.recipes import development
from edgeseg.converter.shipped.recipes.recipe import SEVEN, Recipe
from edgeseg.converter.training.finetune import TEACHER
from edgeseg.converter.training.settings import Network, Pictures, Settings, Teaching

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.converter.shipped.recipes.recipe import Sources

SIZE = (513, 513)
TEACHER_SIZES = (449, 513, 641)
_ROUNDED = 800  # pictures of the second training
_FROZEN = "expanded_conv_6_project"  # half of the network: edges and textures


def training(sources: Sources) -> Settings:
    """Return the settings that teach the start what its teacher sees."""
    train = development.pictures(sources)
    return Settings(
        str(sources.start),
        Pictures(train, held=development.held(sources)),
        network=Network(size=SIZE, decoder=False),
        teaching=Teaching(
            sources.start,
            sizes=TEACHER_SIZES,
            rough=train / "train_sbd.txt",
            rough_share=0.9,
        ),
        freeze_until=_FROZEN,
        balance=0.0,
        rare=0.0,
        epochs=2,
        rate=5e-5,
        zoom=1.5,
        loss_every=4,
        judged=SEVEN,
    )


def rounding(sources: Sources, trained: Path) -> Settings:
    """Return the settings of a short training through the rounding of int8.

    Its weights are whole steps of int8 afterwards, so that float16 keeps all that
    counts of them.
    """
    first = training(sources)
    return replace(
        first,
        start=str(trained),
        pictures=replace(first.pictures, limit=_ROUNDED),
        network=Network(),
        teaching=replace(
            first.teaching, model=sources.output / "trained" / TEACHER, sizes=None
        ),
        epochs=1,
        rate=5e-6,
        int8=sources.photos,
    )


RECIPE = Recipe("voc", development.cut, training, rounding, half=True)
