"""Networks that are no DeepLab, from their files to float TFLite that answers alike."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

import keras
import networks

from edgeseg.converter.conversion.float_model import lower
from edgeseg.converter.conversion.keras_device import segmenter_of
from edgeseg.converter.loading.format import Loading
from edgeseg.converter.loading.load import load_model
from edgeseg.devices import ModelError
from edgeseg.runtime import Segmenter
from edgeseg.runtime.model.embedded import append_manifest
from edgeseg.runtime.sources.synthetic import SyntheticSource

pytestmark = pytest.mark.long  # converts or trains real networks


@pytest.fixture(scope="module")
def tf_keras():
    """Keras 2, which wrote the files of old."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("tf_keras", reason="writes Keras 2 files")


def scenes(count=3):
    source = SyntheticSource("96x80,still,seed=3")
    return [source.scene(index)[0] for index in range(count)]


def assert_same_answers(loaded, folder, *, least=0.999):
    """Hold float TFLite against Keras on drawn scenes, through the runtime."""
    with segmenter_of(loaded) as reference:
        path = folder / "float.tflite"
        path.write_bytes(append_manifest(lower(loaded.model), reference.manifest))
        with Segmenter.open(path) as lowered:
            for frame in scenes():
                tensor = reference.tensor(frame)
                expected = reference.device.infer(tensor)[0]
                scores = lowered.device.infer(tensor)[0]
                limit = 1e-4 * np.abs(expected).max()
                np.testing.assert_allclose(scores, expected, atol=limit)
                ids = [s.segment(frame).ids for s in (reference, lowered)]
                assert (ids[0] == ids[1]).mean() >= least
                assert len(np.unique(ids[0])) > 1


@pytest.mark.parametrize("build", [networks.unet, networks.fcn8s, networks.segnet])
def test_plain_networks_convert_with_parity(build, tmp_path):
    model = build(keras)
    model.save(tmp_path / "net.keras")
    loaded = load_model(tmp_path / "net.keras")
    assert loaded.model.input.shape == (1, 64, 64, 3)
    tensor = np.random.default_rng(1).random((1, 64, 64, 3), np.float32)
    np.testing.assert_allclose(
        loaded.model.predict(tensor, verbose=0),
        model.predict(tensor, verbose=0),
        atol=1e-6,
    )
    assert_same_answers(loaded, tmp_path)


def save_h5(model, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # both Kerases call the format legacy
        model.save(path)
    return path


def test_keras_2_file_answers_like_keras_2(tf_keras, tmp_path):
    model = networks.medley(tf_keras)
    loaded = load_model(save_h5(model, tmp_path / "old.h5"))
    for frame in scenes():
        with segmenter_of(loaded) as segmenter:
            tensor = segmenter.tensor(frame)
            scores = segmenter.device.infer(tensor)[0]
        np.testing.assert_allclose(scores, model(tensor).numpy(), atol=1e-5)
    assert_same_answers(loaded, tmp_path)


def test_keras_2_chain_without_an_input_layer(tf_keras, tmp_path):
    layers = tf_keras.layers
    chain = [
        layers.Conv2D(6, 3, padding="same", input_shape=(32, 32, 3)),
        layers.PReLU(),
        layers.Conv2D(4, 1),
    ]
    model = networks.settle(tf_keras.Sequential(chain))
    loaded = load_model(save_h5(model, tmp_path / "chain.h5"))
    tensor = np.random.default_rng(1).random((1, 32, 32, 3), np.float32)
    np.testing.assert_allclose(
        loaded.model.predict(tensor, verbose=0), model(tensor).numpy(), atol=1e-5
    )


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_lambda_runs_only_when_trusted(suffix, tmp_path):
    model = networks.with_lambda(keras)
    path = save_h5(model, tmp_path / f"code.{suffix}")
    with pytest.raises(ModelError, match=r"'shift' \(Lambda\).*--trust-model"):
        load_model(path)
    loaded = load_model(path, Loading(trust=True))
    assert "shift" in loaded.notes[0]
    tensor = np.random.default_rng(1).random((1, 32, 32, 3), np.float32)
    np.testing.assert_allclose(
        loaded.model.predict(tensor, verbose=0),
        model.predict(tensor, verbose=0),
        atol=1e-6,
    )
    assert_same_answers(loaded, tmp_path)


def test_lambda_of_keras_2_runs_when_trusted(tf_keras, tmp_path):
    model = networks.with_lambda(tf_keras)
    path = save_h5(model, tmp_path / "code.h5")
    with pytest.raises(ModelError, match="--trust-model"):
        load_model(path)
    loaded = load_model(path, Loading(trust=True))
    tensor = np.random.default_rng(1).random((1, 32, 32, 3), np.float32)
    np.testing.assert_allclose(
        loaded.model.predict(tensor, verbose=0), model(tensor).numpy(), atol=1e-6
    )


def test_bytecode_of_another_python_is_refused_either_way(shared):
    path = shared / "models" / "keras" / "portrait_slim_reshape_v2.h5"
    with pytest.raises(ModelError, match=r"'lambda' \(Lambda\).*--trust-model"):
        load_model(path)
    with pytest.raises(ModelError, match=r"not of this Python.*save it as \.keras"):
        load_model(path, Loading(trust=True))


@pytest.mark.parametrize("build", [networks.unet, networks.segnet])
def test_saved_model_folder_converts_with_parity(build, tmp_path):
    model = build(keras, (48, 48))
    model.export(str(tmp_path / "saved"), verbose=False)
    loaded = load_model(tmp_path / "saved")
    tensor = np.random.default_rng(1).random((1, 48, 48, 3), np.float32)
    np.testing.assert_allclose(
        loaded.model.predict(tensor, verbose=0),
        model.predict(tensor, verbose=0),
        atol=1e-5,
    )
    assert_same_answers(loaded, tmp_path)


def test_flat_network_keeps_every_layer_in_sight(tmp_path):
    inner = networks.unet(keras, (32, 32))
    image = keras.Input((32, 32, 3))
    outer = keras.Model(image, inner(keras.layers.Rescaling(0.5)(image)))
    outer.save(tmp_path / "nested.keras")
    model = load_model(tmp_path / "nested.keras").model
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("Conv2DTranspose") == 3
    assert "Functional" not in kinds
