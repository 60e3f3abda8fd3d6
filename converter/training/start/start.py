"""The start of a training: a network for the new classes, with its new layers."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.converter.backbones.mobilenet_v2 import MobileNetV2
from edgeseg.converter.frameworks import need
from edgeseg.converter.loading.format import Loading
from edgeseg.converter.loading.load import load_model
from edgeseg.converter.loading.release import is_release_layout
from edgeseg.converter.networks.deeplab import SegmentationHead, build_deeplab
from edgeseg.converter.networks.preprocessing import fed_with_unit_pixels
from edgeseg.converter.training.settings import NOTHING, Network
from edgeseg.converter.training.start.batch_graph import Start
from edgeseg.converter.training.start.keras_file import MOMENTUM, with_head
from edgeseg.converter.training.start.release_file import from_release
from edgeseg.devices import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

_STEM, _PROJECTIONS = 32, (16, 24, 32, 64, 96, 160, 320)


def make_start(
    source: str,
    classes: Sequence[str],
    network: Network,
    rng: np.random.Generator,
    *,
    labels: str | None = None,
    trust: bool = False,
) -> Start:
    """Return the network to train.

    Parameters
    ----------
    source : str
        A release-layout ``.h5``, a whole Keras model, or ``"none"``.
    classes : sequence of str
        Names of the classes to learn.
    network : Network
        What a weights-only file or nothing at all leaves open.
    rng : numpy.random.Generator
        For all that starts at random.
    labels : str or None
        Names of the start's own classes, see `load_labels`; None guesses by their
        number.
    trust : bool
        Run code that the file holds.

    Raises
    ------
    ModelError, InputError
        The file cannot be used, or not so.
    """
    if source == NOTHING:
        return _from_nothing(classes, network, rng)
    path = Path(source)
    if path.is_file() and is_release_layout(path):
        return from_release(path, classes, network, rng, labels)
    loaded = load_model(path, Loading(size=network.size, trust=trust))
    # pictures come as -1..1: a network that scales pixels itself gets them back
    model = fed_with_unit_pixels(loaded.model)
    loaded = dataclasses.replace(loaded, model=model)
    return with_head(loaded, path, classes, rng, labels)


def _from_nothing(
    classes: Sequence[str], network: Network, rng: np.random.Generator
) -> Start:
    if network.size is None:
        raise InputError("a training from nothing needs --size")
    need("keras").utils.set_random_seed(int(rng.integers(1 << 31)))
    head = SegmentationHead(
        len(classes),
        network.decoder,
        pyramid=False,
        low_width=network.low_width,
        decoder_width=network.decoder_width,
    )
    model = build_deeplab(
        scaled_backbone(network.width_multiplier),
        head,
        size=network.size,
        output_stride=network.output_stride,
    )
    for layer in model.layers:
        if type(layer).__name__ == "BatchNormalization":
            layer.momentum = MOMENTUM
    return Start(
        model,
        frozenset(layer.name for layer in model.layers),
        settled=False,
        notes=(f"MobileNetV2 of width {network.width_multiplier:g} from nothing",),
        resize="align-corners",
    )


def scaled_backbone(multiplier: float) -> MobileNetV2:
    """Return a MobileNetV2 of another width; channels are multiples of 8.

    Examples
    --------
    >>> scaled_backbone(0.5).projections
    (8, 16, 16, 32, 48, 80, 160)
    """

    def scaled(channels: int) -> int:
        # the paper's rule: the nearest multiple of 8, no more than a tenth below
        wanted = channels * multiplier
        rounded = max(8, int(wanted + 4) // 8 * 8)
        return rounded + 8 if rounded < 0.9 * wanted else rounded

    return MobileNetV2(scaled(_STEM), tuple(map(scaled, _PROJECTIONS)))
