"""The model behind PixelLib's classes: which file, and which class ids."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.drawing.look import Look
from edgeseg.runtime.drawing.painter import Painter
from edgeseg.runtime.model.labels import load_labels, same_name
from edgeseg.runtime.model.overrides import Overrides
from edgeseg.runtime.segmentation.segmenter import Segmenter
from edgeseg.runtime.shipped import is_shipped

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.model.manifest import Manifest
    from edgeseg.runtime.segmentation.segmenter import Segmentation

_log = logging.getLogger(__name__)

_KERAS = (".h5", ".pb", ".keras")
_SHIPPED = "voc"  # knows the same classes as PixelLib's model
# label sets of models that name no classes, by how many they have
_SETS = {21: "pascal-voc", 32: "ade20k-mlperf32", 150: "ade20k"}
ADE20K_HINT = (
    "edgeseg fetch deeplabv3plus-mobilenetv2-ade20k32-int8 -o ade20k.tflite, and load "
    "that"
)


class Model:
    """A model file that is opened when it is first used.

    Parameters
    ----------
    path : Path
        A ``.tflite`` file.
    numbering : str
        The label set whose class ids are returned, where it has all of the model's
        classes; else they are the model's own.
    """

    def __init__(self, path: Path, numbering: str) -> None:
        self._path = path
        self._numbering = load_labels(numbering)

    @classmethod
    def load(cls, path: Path | str, numbering: str, *, shipped: bool) -> Model:
        """Choose the file for a path that a program gives PixelLib.

        Parameters
        ----------
        path : Path or str
            A ``.tflite`` file, or PixelLib's ``.h5`` or ``.pb``.
        numbering : str
            See the class.
        shipped : bool
            Take the model that ships where there is no other.

        Raises
        ------
        InputError
            There is no such file, and none beside it.
        """
        given = Path(path)
        if is_shipped(str(path)):
            return cls(given, numbering)
        if given.suffix.lower() not in _KERAS:
            if not given.is_file():
                raise InputError(f"no such model file: {given}")
            return cls(given, numbering)
        beside = given.with_suffix(".tflite")
        if beside.is_file():
            return cls(beside, numbering)
        how = _how_to_make(given, numbering)
        if not shipped:
            raise InputError(
                f"{given} is a model for Keras, and there is no {beside.name} beside "
                f"it: {ADE20K_HINT}, or make one: {how}"
            )
        _log.warning(
            "%s: there is no %s beside it; taking %s, which comes with edgeseg. "
            "Make one: %s",
            given,
            beside.name,
            _SHIPPED,
            how,
        )
        return cls(Path(_SHIPPED), numbering)

    def open_segmenter(self) -> Segmenter:
        """Return a new segmenter."""
        segmenter = Segmenter.open(self._path)
        known = _SETS.get(segmenter.head.classes)
        if segmenter.manifest.labels or known is None:
            return segmenter
        segmenter.close()
        return Segmenter.open(self._path, overrides=Overrides(labels=known))

    @cached_property
    def segmenter(self) -> Segmenter:
        """The segmenter for single pictures."""
        return self.open_segmenter()

    @cached_property
    def manifest(self) -> Manifest:
        """Of the model, in the numbering's colours where that has its classes."""
        manifest, ids = self.segmenter.manifest, self._ids_by_name()
        if ids is None:
            return manifest
        colours = self._numbering.palette
        return replace(manifest, palette=tuple(colours[i] for i in ids))

    @cached_property
    def painter(self) -> Painter:
        """What draws single pictures."""
        return Painter(self.manifest)

    @cached_property
    def numbers(self) -> NDArray[np.uint8]:
        """The class id that is returned for each of the model's: ``(256,)`` uint8."""
        import numpy as np

        table = np.arange(256, dtype=np.uint8)
        ids = self._ids_by_name()
        if ids is not None:
            table[: len(ids)] = ids
        return table

    def ids(self, segmentation: Segmentation) -> NDArray[np.uint8]:
        """Return the class ids ``(H, W)`` uint8 of a picture in that numbering."""
        return self.numbers[segmentation.ids]

    def _ids_by_name(self) -> list[int] | None:
        """Return the numbering's id of each of the model's classes, if it has all."""
        known = {same_name(n): i for i, n in enumerate(self._numbering.labels)}
        own = [same_name(name) for name in self.segmenter.manifest.labels]
        return [known[name] for name in own] if own and known.keys() >= {*own} else None


def _how_to_make(given: Path, numbering: str) -> str:
    """Return the commands that make the ``.tflite`` beside a file of PixelLib's."""
    source, first = given.with_suffix(".h5"), ""
    if given.suffix.lower() == ".pb":  # the same network is in the .h5
        first = f"edgeseg fetch deeplabv3plus-xception-voc -o {source.name}, then "
    return (
        f"{first}edgeseg convert {source.name} --calibration PHOTOS --labels "
        f"{numbering} -o {given.with_suffix('.tflite').name}"
    )


def overlay_look(overlay: bool) -> Look:
    """Return how segmentation is drawn: over the picture, or its colours alone."""
    return Look("overlay", alpha=0.7) if overlay else Look("mask")
