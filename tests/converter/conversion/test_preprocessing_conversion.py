"""What a converted file says of preprocessing, and a warning where a guess is off."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

from edgeseg.converter import convert
from edgeseg.converter.conversion.keras_device import open_keras
from edgeseg.converter.conversion.text import conversion_text
from edgeseg.converter.frameworks import need
from edgeseg.runtime import Overrides, Segmenter

pytestmark = pytest.mark.long  # converts networks

FILES = Path(__file__).parents[2] / "golden" / "keras"


@pytest.fixture(scope="module")
def rescaled(calibration, tmp_path_factory):
    output = tmp_path_factory.mktemp("rescaled") / "net.tflite"
    return convert(
        FILES / "rescaling_offset.keras", calibration=calibration, output=output
    )


def test_the_file_does_what_the_network_did_itself(rescaled):
    assert rescaled.operators == {"CONV_2D": 1}
    assert rescaled.float_parity.agreement == 1
    with Segmenter.open(rescaled.path) as segmenter:
        assert segmenter.manifest.mean == segmenter.manifest.std == (127.5,) * 3
    words = "the network sees pixel/127.5-1; letterboxed; RGB, taken over from"
    assert conversion_text(rescaled).startswith(words)
    assert rescaled.details["preprocessing"].startswith(words)


def test_int16_takes_a_sum_whose_scales_are_powers_of_two(calibration, tmp_path):
    keras = need("keras")
    layers = keras.layers
    image = keras.Input((32, 32, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1)(layers.ZeroPadding2D(1)(image))
    x = layers.Cropping2D(1)(layers.Conv2D(3, 3, padding="same")(x))
    keras.Model(image, x).save(tmp_path / "net.keras")
    result = convert(
        tmp_path / "net.keras",
        calibration=calibration,
        output=tmp_path / "net.tflite",
        recipe="int16x8",
    )
    assert "ADD" in result.operators
    assert result.int8_parity.agreement > 0.98


@pytest.fixture(scope="module")
def for_pixels(shapes_keras, tmp_path_factory):
    """Save the shapes network with its first convolution for pixels 0..255.

    Nothing in the file says so: kernel and bias, or the norm behind, take the scaling
    in.
    """
    keras = need("keras")
    model = keras.models.load_model(shapes_keras)
    kinds = keras.layers.Conv2D, keras.layers.BatchNormalization
    first, norm = (
        next(x for x in model.layers if isinstance(x, kind)) for kind in kinds
    )
    kernel, *bias = first.get_weights()
    shift = kernel.sum((0, 1, 2))
    first.set_weights([kernel / 127.5, *(b - shift for b in bias)])
    if not bias:
        gamma, beta, mean, variance = norm.get_weights()
        norm.set_weights([gamma, beta, mean + shift, variance])
    path = tmp_path_factory.mktemp("pixels") / "net.keras"
    model.save(path)
    return path


def test_a_wrong_guess_is_doubted(for_pixels, calibration, tmp_path):
    options = {"calibration": calibration, "output": tmp_path / "net.tflite"}
    result = convert(for_pixels, recipe="float32", **options)
    (doubt,) = [n for n in result.details["notes"] if "fits the network better" in n]
    assert "--normalize 0,1" in doubt
    said = Overrides(normalize=(0.0, 1.0))
    result = convert(for_pixels, recipe="float32", overrides=said, **options)
    assert not [n for n in result.details["notes"] if "fits" in n]


def test_a_right_guess_is_not_doubted(shapes_conversion):
    assert not [n for n in shapes_conversion.details["notes"] if "fits" in n]


def test_the_float_model_is_fed_in_the_same_way(rescaled):
    frame = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    with open_keras(FILES / "rescaling_offset.keras") as keras:
        assert keras.manifest.std == (1.0,) * 3
        ids = keras.segment(frame).ids
    with Segmenter.open(rescaled.path) as result:
        assert (result.segment(frame).ids == ids).mean() > 0.95
