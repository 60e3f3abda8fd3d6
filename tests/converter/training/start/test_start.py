"""Starts: what a file knows is kept exactly, decoder or not."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

from edgeseg.converter.backbones.mobilenet_v2 import MobileNetV2
from edgeseg.converter.loading.release import load_release
from edgeseg.converter.networks.deeplab import LOGITS, SegmentationHead, build_deeplab
from edgeseg.converter.training.settings import Network
from edgeseg.converter.training.start.batch_graph import freeze_until, training_graph
from edgeseg.converter.training.start.start import make_start
from edgeseg.devices import InputError, ModelError

pytestmark = pytest.mark.long  # converts or trains real networks

SLIM = MobileNetV2(8, (4, 6, 8, 8, 8, 12, 16))
SIZE = (65, 65)
OLD = ("background", "cat", "dog")


def write_release(path, head):
    """Write settled random weights in the public release's layout."""
    model = build_deeplab(SLIM, head, size=SIZE, output_stride=16)
    rng = np.random.default_rng(5)
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{w.name}:0" for w in layer.weights]
            group.attrs["weight_names"] = names
            for name, weight in zip(names, layer.weights, strict=True):
                around = 1 if weight.name in ("gamma", "moving_variance") else 0
                spread = 0.1 if len(weight.shape) == 1 else 0.4
                group[name] = rng.normal(around, spread, weight.shape)
    return path


@pytest.fixture(scope="module")
def v3(tmp_path_factory):
    path = tmp_path_factory.mktemp("v3") / "slim_os16_65.h5"
    (path.parent / "labels.txt").write_text("\n".join(OLD))
    head = SegmentationHead(classes=3, decoder=False, pyramid=False, width=24)
    return write_release(path, head)


@pytest.fixture(scope="module")
def picture():
    return np.random.default_rng(1).uniform(-1, 1, (1, *SIZE, 3)).astype(np.float32)


def started(path, classes=OLD, **options):
    network = Network(**{"size": SIZE, "decoder_width": 16, "low_width": 4} | options)
    return make_start(str(path), classes, network, np.random.default_rng(0))


def test_a_new_decoder_changes_nothing(v3, picture):
    old = load_release(v3, size=SIZE, output_stride=16).model
    start = started(v3)
    assert start.model.get_layer("decoder_conv0_pointwise").kernel.shape[-1] == 16
    before = old.predict_on_batch(picture)
    after = start.model.predict_on_batch(picture)
    assert np.ptp(before) > 1
    np.testing.assert_allclose(after, before, atol=1e-3)
    np.testing.assert_array_equal(after.argmax(-1), before.argmax(-1))
    assert LOGITS in start.new_layers
    assert "decoder_conv1_depthwise" in start.new_layers
    assert not any(name.startswith("expanded") for name in start.new_layers)


def test_classes_in_another_order_keep_their_scores(v3, picture):
    start = started(v3, ("dog", "background"), decoder=False)
    old = load_release(v3, size=SIZE, output_stride=16).model
    scores = old.predict_on_batch(picture)
    np.testing.assert_allclose(
        start.model.predict_on_batch(picture), scores[..., [2, 0]], atol=1e-4
    )
    assert start.new_layers == frozenset()


def test_a_new_class_makes_the_head_new(v3):
    start = started(v3, (*OLD, "fox"), decoder=False)
    assert start.new_layers == {LOGITS}
    assert "new classes: fox" in start.notes


def test_a_narrow_decoder_cannot_carry_the_scores(v3):
    with pytest.raises(InputError, match="--decoder-width of at least 6"):
        started(v3, decoder_width=5)


def test_a_decoder_narrower_than_the_pyramid_is_read_again(tmp_path):
    head = SegmentationHead(
        classes=3, pyramid=False, width=24, low_width=4, decoder_width=8
    )
    path = write_release(tmp_path / "plus_os16_65.h5", head)
    model = load_release(path).model
    assert model.get_layer("decoder_conv1_pointwise").kernel.shape[-1] == 8
    start = started(path, ("background", "thing"))
    assert start.model.get_layer("decoder_conv0_pointwise").kernel.shape[-1] == 8
    with pytest.raises(InputError, match="holds a decoder"):
        started(path, decoder=False)


def test_a_whole_model_gets_another_head(tiny, picture):
    start = started(tiny, ("background", "disc", "square"))
    assert start.model.output.shape == (1, 65, 65, 3)
    assert start.new_layers == {"scores"}
    assert start.model.predict_on_batch(picture).shape == (1, 65, 65, 3)


def test_a_softmax_behind_the_head_goes(tmp_path, picture):
    import keras

    image = keras.Input((65, 65, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(image)
    x = keras.layers.Conv2D(3, 1, activation="softmax", name="scores")(x)
    model = keras.Model(image, x)
    model.save(tmp_path / "soft.keras")
    (tmp_path / "labels.txt").write_text("\n".join(OLD))
    start = started(tmp_path / "soft.keras")
    logits = start.model.predict_on_batch(picture)
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    np.testing.assert_allclose(shares, model.predict_on_batch(picture), atol=1e-5)


def test_a_network_without_such_a_head_is_refused(tmp_path):
    import keras

    image = keras.Input((33, 33, 3))
    keras.Model(image, keras.layers.Conv2D(3, 3, padding="same")(image)).save(
        tmp_path / "wide.keras"
    )
    with pytest.raises(ModelError, match="expected a 1x1 Conv2D"):
        make_start(
            str(tmp_path / "wide.keras"), OLD, Network(), np.random.default_rng(0)
        )


def test_weights_of_another_network_are_refused(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file.attrs["layer_names"] = ["conv1"]
        file.create_group("conv1").attrs["weight_names"] = []
    with pytest.raises(ModelError, match="of another network"):
        started(tmp_path / "other.h5")


def test_norms_keep_their_statistics_while_their_scale_learns(tiny, picture):
    """One step with a large rate: gamma moves, mean and variance do not."""
    import keras

    start = started(tiny)
    graph = training_graph(start)
    graph.compile(keras.optimizers.SGD(1.0), "mse", jit_compile=False)
    norm = start.model.get_layer("conv_1_BN")
    before = [value.copy() for value in norm.get_weights()]
    graph.train_on_batch(picture, np.ones((1, 65, 65, 3), np.float32))
    gamma, beta, mean, variance = norm.get_weights()
    assert np.abs(gamma - before[0]).max() > 0
    assert np.abs(beta - before[1]).max() > 0
    np.testing.assert_array_equal(mean, before[2])
    np.testing.assert_array_equal(variance, before[3])


def test_norms_from_nothing_gather_statistics(picture):
    import keras

    network = Network(size=SIZE, width_multiplier=0.1, decoder=False)
    start = make_start("none", OLD, network, np.random.default_rng(0))
    assert not start.settled
    graph = training_graph(start)
    graph.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
    norm = start.model.get_layer("Conv_BN")
    before = norm.moving_mean.numpy().copy()
    graph.train_on_batch(picture, np.ones((1, 65, 65, 3), np.float32))
    assert np.abs(norm.moving_mean.numpy() - before).max() > 0


def test_nothing_needs_a_size():
    with pytest.raises(InputError, match="needs --size"):
        make_start("none", OLD, Network(), np.random.default_rng(0))


def test_frozen_layers_have_nothing_to_learn(tiny):
    start = started(tiny)
    assert freeze_until(start.model, "conv_1_relu") == 4
    names = {v.path.split("/")[0] for v in training_graph(start).trainable_variables}
    assert names == {"conv_2", "conv_2_BN", "scores"}
    with pytest.raises(InputError, match="no layer 'nowhere'"):
        freeze_until(start.model, "nowhere")


@pytest.fixture
def summed(tmp_path):
    """Return an untrained network whose scores are a sum, as LR-ASPP has them."""
    import keras

    image = keras.Input((64, 64, 3))
    low = keras.layers.Conv2D(4, 3, 4, padding="same", name="low")(image)
    low = keras.layers.BatchNormalization(name="norm")(low)
    high = keras.layers.Conv2D(6, 3, 2, padding="same", activation="relu")(low)
    high = keras.layers.UpSampling2D(2, interpolation="bilinear")(high)
    first = keras.layers.Conv2D(3, 1, name="first")(high)
    second = keras.layers.Conv2D(3, 1, name="second")(low)
    x = keras.layers.Add(name="sum")([first, second])
    x = keras.layers.UpSampling2D(4, interpolation="bilinear")(x)
    model = keras.Model(image, keras.layers.Softmax()(x))
    model.save(tmp_path / "summed.keras")
    return tmp_path / "summed.keras"


def settle(path):
    """Give a network's norm the statistics of something."""
    import keras

    model = keras.models.load_model(path, compile=False)
    model.get_layer("norm").moving_mean.assign(np.full(4, 0.5, np.float32))
    model.save(path)
    return model


def test_a_sum_of_scores_keeps_the_classes_of_the_same_names(summed):
    model = settle(summed)
    (summed.parent / "labels.txt").write_text("\n".join(OLD))
    classes = (OLD[2], "another", OLD[0], OLD[1])
    start = started(summed, classes, size=(64, 64))
    assert start.new_layers == {"first", "second"}
    assert start.settled
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 64, 64, 3))
    logits = start.model.predict_on_batch(picture.astype(np.float32))
    assert logits.shape == (1, 64, 64, 4)
    kept = np.exp(logits[..., [2, 3, 0]])
    shares = kept / kept.sum(-1, keepdims=True)
    before = model.predict_on_batch(picture.astype(np.float32))
    np.testing.assert_allclose(shares, before, atol=1e-5)


def test_a_network_that_never_saw_a_picture_is_new_as_a_whole(summed):
    import keras

    start = started(summed, ("background", "thing"), size=(64, 64))
    assert not start.settled
    assert {"low", "norm", "first", "second"} <= start.new_layers
    graph = training_graph(start)
    graph.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
    norm = start.model.get_layer("norm")
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 64, 64, 3))
    graph.train_on_batch(
        picture.astype(np.float32), np.ones((1, 64, 64, 2), np.float32)
    )
    assert np.abs(norm.moving_mean.numpy()).max() > 0


def test_one_norm_that_saw_pictures_settles_a_network(summed):
    settle(summed)
    start = started(summed, ("background", "thing"), size=(64, 64))
    assert start.settled
    assert start.new_layers == {"first", "second"}
