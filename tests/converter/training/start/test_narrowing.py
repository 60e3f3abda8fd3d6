"""Narrowed networks: what they can do without goes first, and answers stay close."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

import keras
from keras import layers

from edgeseg.converter.networks.graph import LayerGraph
from edgeseg.converter.training.start.batch_graph import Start
from edgeseg.converter.training.start.narrowing import narrow, narrowed
from edgeseg.converter.training.start.residuals import inverted_residuals
from edgeseg.devices import InputError

HW = (33, 49)


def network(wide=(32, 64), *, useful=1.0, seed=0):
    """Return two inverted residuals; only so many of the wide channels differ."""
    keras.utils.set_random_seed(seed)
    image = keras.Input(batch_shape=(1, *HW, 3), name="image")
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(image)
    for i, channels in enumerate(wide):
        entered = x
        x = layers.Conv2D(channels, 1, name=f"a{i}")(x)
        x = layers.ReLU(6.0)(x)
        x = layers.DepthwiseConv2D(3, padding="same", name=f"b{i}")(x)
        x = layers.Activation("relu6")(x)
        x = layers.Conv2D(8, 1, name=f"c{i}")(x)
        x = layers.Add()([entered, x])
    model = keras.Model(image, layers.Conv2D(3, 1, name="scores")(x))
    for i, channels in enumerate(wide):
        count = int(channels * useful)
        rng = np.random.default_rng(seed + i)
        kernel, bias = model.get_layer(f"a{i}").get_weights()
        filters, filter_bias = model.get_layer(f"b{i}").get_weights()
        same = np.arange(channels) % count
        bias, filter_bias = rng.normal(0, 0.3, (2, channels))
        model.get_layer(f"a{i}").set_weights([kernel[..., same], bias[same]])
        model.get_layer(f"b{i}").set_weights([filters[:, :, same], filter_bias[same]])
    return model


def pictures(count=8, seed=1):
    rng = np.random.default_rng(seed)
    return [rng.uniform(-1, 1, (1, *HW, 3)).astype(np.float32) for _ in range(count)]


def answers(model):
    return np.concatenate([model(x, training=False) for x in pictures(seed=9)])


def wide_channels(model):
    """Return the depthwise layers' numbers of channels."""
    kinds = [x for x in model.layers if isinstance(x, layers.DepthwiseConv2D)]
    return [layer.kernel.shape[2] for layer in kinds]


def test_copies_of_channels_go_and_no_answer_changes():
    whole = network((64,), useful=0.5)
    half = narrow(whole, 0.5, pictures())
    assert wide_channels(half) == [32]
    np.testing.assert_allclose(answers(half), answers(whole), atol=0.02)
    assert wide_channels(whole) == [64]


def test_it_is_better_than_any_first_channels():
    whole = network()
    small = narrow(whole, 0.6, pictures())
    cut = narrow(whole, 0.6, [np.zeros((1, *HW, 3), np.float32)])
    wanted = answers(whole)
    near, far = (np.square(answers(m) - wanted).mean() for m in (small, cut))
    assert near < far
    assert near < 0.5 * wanted.var()


@pytest.mark.parametrize("share", [0.9, 0.7, 0.45])
def test_the_work_is_the_share_that_was_asked_for(share):
    def work(model):
        found = inverted_residuals(LayerGraph.of(model, share_layers=True))
        return sum(r.work * r.channels for r in found)

    whole = network()
    small = narrow(whole, share, pictures(2))
    step = max(8 * r.work for r in inverted_residuals(LayerGraph.of(whole)))
    assert share * work(whole) - step <= work(small) <= share * work(whole)
    assert all(channels % 8 == 0 for channels in wide_channels(small))


def test_names_do_not_matter_and_other_readers_keep_their_channels():
    image = keras.Input(batch_shape=(1, *HW, 3))
    x = layers.Conv2D(32, 1, activation="relu")(image)
    fine = layers.DepthwiseConv2D(3, padding="same")(x)
    y = layers.Conv2D(8, 1)(fine)
    z = layers.Concatenate()([y, layers.Conv2D(4, 1)(x)])  # reads the wide ones too
    z = layers.Conv2D(64, 1)(z)
    z = layers.DepthwiseConv2D(3, padding="same")(z)
    model = keras.Model(image, layers.Conv2D(2, 1)(z))
    found = inverted_residuals(LayerGraph.of(model))
    assert [r.channels for r in found] == [64]


def test_a_network_without_inverted_residuals_is_refused():
    image = keras.Input(batch_shape=(1, *HW, 3))
    model = keras.Model(image, layers.Conv2D(2, 3, padding="same")(image))
    with pytest.raises(InputError, match="no inverted residuals"):
        narrow(model, 0.5, pictures(1))


def test_too_little_is_refused():
    with pytest.raises(InputError, match=r"cannot narrow to 0\.01 of the work"):
        narrow(network(), 0.01, pictures(1))


def test_a_start_from_nothing_is_refused():
    start = Start(network(), frozenset(), settled=False)
    with pytest.raises(InputError, match="width-multiplier"):
        narrowed(start, 0.5, None, print)
