"""Several outputs, lists of cells, an argmax behind, and pictures of any size."""

from __future__ import annotations

import networks
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

from edgeseg.converter.frameworks import need
from edgeseg.converter.loading.format import Loading
from edgeseg.converter.loading.input_size import rebuild
from edgeseg.converter.loading.load import load_model
from edgeseg.devices import InputError, ModelError

keras = need("keras")
layers, ops = keras.layers, keras.ops


def saved(path, *ends):
    """Save a network on 32x32 pictures: a map of 3 classes, and what is made of it."""
    image = keras.Input((32, 32, 3))
    x = layers.Conv2D(4, 3, padding="same")(image)
    scores = layers.Conv2D(3, 1, name="scores")(x)
    keras.Model(image, [end(x, scores) for end in ends]).save(path)
    return path


def coarse(x, scores):
    return layers.Conv2D(3, 1, name="coarse")(layers.MaxPooling2D()(x))


def middle(x, scores):
    return layers.Conv2D(3, 1, name="middle")(x)


def itself(x, scores):
    return scores


def test_the_last_output_of_the_full_size_is_taken_and_named(tmp_path):
    path = saved(tmp_path / "net.keras", middle, itself, coarse)
    loaded = load_model(path)
    assert loaded.model.output.shape == (1, 32, 32, 3)
    assert (
        "takes the output 'scores' of 3, and leaves out middle, coarse"
        in (loaded.notes[0])
    )


def test_another_output_may_be_named(tmp_path):
    path = saved(tmp_path / "net.keras", coarse, itself)
    model = load_model(path, Loading(output_name="coarse")).model
    assert model.output.shape == (1, 16, 16, 3)
    with pytest.raises(InputError, match=r"no output 'fine'.*one of coarse, scores"):
        load_model(path, Loading(output_name="fine"))


@pytest.mark.parametrize(
    ("end", "channels"),
    [
        (lambda x, s: layers.Softmax()(layers.Reshape((32 * 32, 3))(s)), 3),
        (lambda x, s: layers.Reshape((32 * 32,))(layers.Conv2D(1, 1)(x)), 1),
        (lambda x, s: ops.argmax(s, -1), 3),
        (lambda x, s: ops.expand_dims(ops.argmax(s, -1), -1), 3),
    ],
    ids=["a list of cells", "a list of one score", "argmax", "argmax with a channel"],
)
def test_scores_become_a_map(end, channels, tmp_path):
    model = load_model(saved(tmp_path / "net.keras", end)).model
    assert model.output.shape == (1, 32, 32, channels)


def test_a_list_that_is_no_grid_is_refused(tmp_path):
    def odd(x, scores):
        cells = layers.Reshape((32 * 32 * 3, 1))(scores)
        return layers.Reshape((439, 7))(layers.ZeroPadding1D((0, 1))(cells))

    with pytest.raises(ModelError, match="is no map over a picture of 32x32"):
        load_model(saved(tmp_path / "net.keras", odd))


@pytest.mark.parametrize(
    ("build", "size", "message"),
    [
        (networks.unet, (70, 64), "stride of 8, .* --size 64x64 or 72x64"),
        (networks.unet, (66, 66), "stride of 4, .* --size 64x64 or 68x68"),
        (networks.fcn8s, (70, 64), "stride of 32, .* --size 64x64 or 96x64"),
    ],
)
def test_a_network_of_any_size_names_sizes_that_fit(build, size, message):
    with pytest.raises(InputError, match=message):
        rebuild(build(keras, (None, None)), size)


def test_a_network_of_any_size_takes_one_that_fits():
    model = rebuild(networks.unet(keras, (None, None)), (64, 96))
    assert model.output.shape == (1, 64, 96, 5)
