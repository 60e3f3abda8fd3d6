"""The steps that the recipes of all models that ship have in common.

A model is trained, converted to int8 with the network's own grid of scores, and scored
once on pictures that nothing was chosen by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.converter.conversion.conversion import Conversion, convert
from edgeseg.converter.conversion.request import Scoring
from edgeseg.converter.loading.mending.half_weights import save_half
from edgeseg.converter.training.finetune import Finetuned, finetune
from edgeseg.devices import ConversionError
from edgeseg.runtime import Overrides
from edgeseg.runtime.accuracy.matching import Matching
from edgeseg.runtime.pictures.atomic import write_bytes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edgeseg.converter.training.settings import Settings

    Report = Callable[[str], None]

# What the pictures in VOC have dozens of
SEVEN = ("background", "person", "cat", "dog", "horse", "cow", "sheep")


@dataclass(frozen=True)
class Sources:
    """What a recipe is given.

    Parameters
    ----------
    start : Path
        DeepLabv3 on MobileNetV2 1.0 for 513 pixels, in the layout of the public Keras
        release.
    voc : Path
        A folder with ``train-320``, ``train-500``, ``val`` and ``calibration`` in
        PASCAL VOC's layout.
    output : Path
        Where everything goes.
    """

    start: Path
    voc: Path
    output: Path

    @property
    def photos(self) -> Path:
        """The folder of the photos to calibrate by."""
        return self.voc / "calibration" / "JPEGImages"


def _trained(settings: Settings, folder: Path, progress: Report) -> Finetuned:
    done = finetune(settings, folder, progress=progress)
    if done.signum is not None:
        raise ConversionError(f"{folder}: stopped; the same command goes on")
    return done


@dataclass(frozen=True)
class Recipe:
    """One model.

    Parameters
    ----------
    name : str
        Of the model, by which it is found.
    prepare : callable
        Given the sources, makes what the training needs beforehand.
    training : callable
        Given the sources, returns the settings of the training.
    rounding : callable or None
        Given the sources and the Keras model of the first training, returns the
        settings of a second one, through the rounding of int8.
    half : bool
        Keep the weights as float16, and convert those.
    scored : tuple of str
        The classes of the score; all others count as background.
    """

    name: str
    prepare: Callable[[Sources, Report], None]
    training: Callable[[Sources], Settings]
    rounding: Callable[[Sources, Path], Settings] | None = None
    half: bool = False
    scored: tuple[str, ...] = SEVEN

    def make(self, sources: Sources, progress: Report) -> Conversion:
        """Make the model; stopped, the same call goes on.

        Raises
        ------
        ConversionError
            A training was stopped.
        """
        output = sources.output
        self.prepare(sources, progress)
        done = _trained(self.training(sources), output / "trained", progress)
        if self.rounding is not None:
            settings = self.rounding(sources, done.path)
            done = _trained(settings, output / "rounded", progress)
        float_model = output / f"{self.name}.keras"
        if self.half:
            save_half(done.path, float_model)
        else:
            write_bytes(float_model, done.path.read_bytes())
        return convert(
            float_model,
            calibration=sources.photos,
            output=output / f"{self.name}.tflite",
            head="logits-stride",
            overrides=Overrides(labels=str(done.labels)),
            scoring=Scoring(
                sources.voc / "val", "val", Matching(self.scored, merge_others=True)
            ),
            save_ranges=output / f"{self.name}.ranges.json",
            progress=progress,
        )
