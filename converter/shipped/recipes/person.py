"""``person``: people and all else at 321 pixels, narrowed, for effects and privacy.

The start knows people better than a narrow network can learn them from so few pictures:
half of its work goes, and the mean of its own answers at three sizes and mirrored
teaches what is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.converter.shipped.recipes import development
from edgeseg.converter.shipped.recipes.recipe import Recipe
from edgeseg.converter.training.settings import Network, Pictures, Settings, Teaching

if TYPE_CHECKING:
    from edgeseg.converter.shipped.recipes.recipe import Sources

CLASSES = ("background", "person")
SIZE = (321, 321)
TEACHER_SIZES = (449, 513, 641)


def training(sources: Sources) -> Settings:
    """Return the settings that narrow the start and teach it people alone.

    All pictures are shown, those without people too: what is no person has to be
    learnt.
    """
    train = development.pictures(sources)
    return Settings(
        str(sources.start),
        Pictures(train, held=development.held(sources), classes=CLASSES),
        network=Network(size=SIZE, decoder=False, narrow=0.48),
        teaching=Teaching(
            sources.start,
            sizes=TEACHER_SIZES,
            share=0.7,
            rough=train / "train_sbd.txt",
            rough_share=0.95,
        ),
        balance=0.0,
        rare=0.0,
        epochs=8,
        rate=4e-4,
        new_rate=4e-4,
        zoom=1.8,
        loss_every=2,
        validate_every=2,
    )


RECIPE = Recipe("person", development.cut, training, half=True, scored=CLASSES)
