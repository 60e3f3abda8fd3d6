"""Drawn data sets and a network so small that a training takes seconds."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from edgeseg.runtime.sources.synthetic import LABELS, SyntheticSource


def draw_folder(root, count, *, labels=LABELS, hw=(64, 80), seed=3):
    """Write images/, masks/ and labels.txt; shapes without a label are background."""
    source = SyntheticSource(f"{hw[1]}x{hw[0]},still,seed={seed}")
    for index in range(count):
        frame, ids = source.scene(index)
        ids = np.where(ids < len(labels), ids, 0).astype(np.uint8)
        for kind, suffix, pixels in (("images", "jpg", frame), ("masks", "png", ids)):
            path = root / kind / f"scene_{index:03d}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    (root / "labels.txt").write_text("\n".join(labels) + "\n")
    return root


@pytest.fixture(scope="session")
def draw():
    return draw_folder


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """64 scenes of four classes."""
    return draw_folder(tmp_path_factory.mktemp("drawn"), 64)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A network of a few thousand weights for 65x65 pixels and 2 unnamed classes."""
    keras = pytest.importorskip("keras", reason="needs the extra `convert`")
    from edgeseg.converter.networks.resizing import resize_to

    keras.utils.set_random_seed(1)
    layers = keras.layers
    x = image = keras.Input((65, 65, 3), name="image")
    for index, (channels, stride) in enumerate([(16, 2), (24, 2), (24, 1)]):
        name = f"conv_{index}"
        x = layers.Conv2D(
            channels, 3, stride, padding="same", use_bias=False, name=name
        )(x)
        x = layers.BatchNormalization(name=f"{name}_BN")(x)
        x = layers.ReLU(name=f"{name}_relu")(x)
    x = layers.Conv2D(2, 1, name="scores")(x)
    x = resize_to(x, (65, 65), "align-corners", name="resize")
    path = tmp_path_factory.mktemp("start") / "tiny.keras"
    model = keras.Model(image, x)
    # statistics of pictures: a network without any counts as never trained
    model.get_layer("conv_0_BN").moving_variance.assign([0.999] * 16)
    model.save(path)
    return path
