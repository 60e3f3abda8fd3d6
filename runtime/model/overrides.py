"""The manifest that a model gets: its own, or a guess, and what a user says of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.runtime.model.embedded import stored_labels, stored_manifest
from edgeseg.runtime.model.head import head_of
from edgeseg.runtime.model.labels import label_set_of, load_labels
from edgeseg.runtime.model.manifest import Manifest
from edgeseg.runtime.model.tensors import image_input, input_hw_of, scores_output

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices import TensorSpec
    from edgeseg.devices.types import Json

# Mean and deviation of its photos a channel, as torchvision and Keras give them
IMAGENET = (123.675, 116.28, 103.53, 58.395, 57.12, 57.375)


@dataclass(frozen=True)
class Overrides:
    """What a user says of a model that its file does not say, or says wrongly.

    Parameters
    ----------
    labels : str or None
        Name of a known label set, or a file; see `load_labels`.
    normalize : tuple of float or None
        The network sees ``(pixel - MEAN) / STD``, pixel in 0..255: mean and deviation,
        or three of each, one a channel.
    bgr : bool
        The network was trained with blue first.
    stretch : bool
        Pictures are stretched to the input size instead of letterboxed.
    output_name : str or None
        Of a model with several outputs: name or number of the one that is read.
    """

    labels: str | None = None
    normalize: tuple[float, ...] | None = None
    bgr: bool = False
    stretch: bool = False
    output_name: str | None = None

    def apply(self, manifest: Manifest) -> Manifest:
        """Return a manifest with these values in place of its own."""
        changes: Json = {}
        if self.labels is not None:
            label_set = load_labels(self.labels)
            changes |= {"labels": label_set.labels, "palette": label_set.palette}
        if self.normalize is not None:
            half = len(self.normalize) // 2
            mean, std = self.normalize[:half], self.normalize[half:]
            changes |= {"mean": mean * (3 // half), "std": std * (3 // half)}
        if self.bgr:
            changes["channels"] = "bgr"
        if self.stretch:
            changes["fit"] = "stretch"
        return dataclasses.replace(manifest, **changes)


def manifest_for(
    path: Path,
    inputs: tuple[TensorSpec, ...],
    outputs: tuple[TensorSpec, ...],
    output_name: str | None = None,
) -> Manifest:
    """Return a model file's own manifest, or one made from what its tensors say.

    Parameters
    ----------
    path : Path
        The model file.
    inputs, outputs : tuple of TensorSpec
        Its tensors.
    output_name : str or None
        The output that is read; see `scores_output`.
    """
    manifest = stored_manifest(path)
    if manifest is not None:
        return manifest
    labels = stored_labels(path)
    palette = label_set_of(labels).palette if labels else ()
    picture = image_input(inputs)
    known = len(labels)
    scores = scores_output(outputs, input_hw_of(picture), output_name, known).spec
    guess = guess_manifest(picture, scores, known)
    return dataclasses.replace(guess, labels=labels, palette=palette)


def guess_manifest(
    spec_in: TensorSpec, spec_out: TensorSpec, labels: int = 0
) -> Manifest:
    """Return the manifest that the tensors of a foreign model suggest.

    An 8-bit input is taken to store pixels as they are, so that its scale and zero
    point are the normalization; a float input takes ``pixel / 127.5 - 1``. A grid
    whose cells divide the input as ``k * (cells - 1) + 1`` (65 on 513, as DeepLab
    trains) is aligned at its corners.

    Parameters
    ----------
    spec_in, spec_out : TensorSpec
        Input and output, this with the shape of a map; see `as_map`.
    labels : int
        Number of labels; 0 where unknown.
    """
    mean, std = 127.5, 127.5
    if spec_in.dtype in ("uint8", "int8"):
        offset = 128 if spec_in.dtype == "int8" else 0
        mean = float(spec_in.zero_point + offset) if spec_in.is_quantized else offset
        std = 1 / spec_in.scale if spec_in.is_quantized else 1.0
    height, width = input_hw_of(spec_in)
    grid = head_of(spec_out, labels=labels).grid_hw
    corners = all(
        cells > 1 and (size - 1) % (cells - 1) == 0
        for size, cells in zip((height, width), grid, strict=True)
    )
    return Manifest(
        input_size=(height, width),
        mean=(mean,) * 3,
        std=(std,) * 3,
        resize="align-corners" if corners else "half-pixel",
    )
