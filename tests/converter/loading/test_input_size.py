"""The same network on another input size: same weights, right geometry, or refused."""

from __future__ import annotations

import numpy as np
import pytest
import train_shapes as shapes

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

import keras
import networks

from edgeseg.converter.loading.format import Loading
from edgeseg.converter.loading.grid_sizes import SizeChange
from edgeseg.converter.loading.input_size import rebuild
from edgeseg.converter.loading.load import load_model
from edgeseg.converter.networks.resizing import resize_to
from edgeseg.devices import InputError

layers = keras.layers


def picture(height, width):
    return np.random.default_rng(5).random((1, height, width, 3), np.float32)


def assert_equal_models(model, expected, **tolerance):
    tensor = picture(*model.input.shape[1:3])
    got, want = (m.predict(tensor, verbose=0) for m in (model, expected))
    np.testing.assert_allclose(got, want, **tolerance)


@pytest.mark.long
@pytest.mark.parametrize("build", [networks.unet, networks.fcn8s, networks.segnet])
def test_network_is_the_one_built_for_that_size(build):
    drawn = build(keras, (64, 64))
    model = rebuild(drawn, (96, 160))
    direct = build(keras, (96, 160))
    direct.set_weights(drawn.get_weights())
    assert_equal_models(model, direct, atol=1e-5)


@pytest.mark.parametrize(
    ("cells", "stride"), [(1, 1 << 40), (5, 1 << 38), (3 << 38, None), (1 << 41, None)]
)
def test_a_stride_is_found_at_any_size_a_file_may_name(cells, stride):
    side = (1 << 40) + 1
    found = SizeChange((side, side), (64, 64)).scaled
    if stride is None:
        with pytest.raises(InputError, match="no grid over the input size"):
            found(cells, 0, "a layer")
    else:
        assert found(cells, 0, "a layer") == max(1, -(-64 // stride))


@pytest.mark.long
def test_deeplab_with_resizes_follows_its_grids(shapes_keras, monkeypatch):
    model = load_model(shapes_keras, Loading(size=(161, 161))).model
    monkeypatch.setattr(shapes, "SIZE", 161)
    direct = shapes.build()
    direct.set_weights(keras.models.load_model(shapes_keras).get_weights())
    assert_equal_models(model, direct, atol=1e-5)


@pytest.mark.long
def test_own_size_changes_nothing(shapes_keras):
    model = load_model(shapes_keras, Loading(size=(129, 129))).model
    assert_equal_models(model, keras.models.load_model(shapes_keras), atol=0)


@pytest.mark.parametrize(
    ("build", "size", "fitting"),
    [
        (networks.unet, (70, 64), "stride of 8 .* choose --size 64x64 or 72x64"),
        (networks.fcn8s, (80, 90), "stride of 32 .* choose --size 64x64 or 96x96"),
        (networks.segnet, (67, 67), "output would be 64x64 .* 64x64 or 72x72"),
    ],
)
def test_size_that_breaks_the_stride_names_two_that_work(build, size, fitting):
    with pytest.raises(InputError, match=fitting):
        rebuild(build(keras), size)


def corners(size):
    image = keras.Input((*size, 3))
    x = layers.Conv2D(6, 3, strides=8, padding="same", name="stem")(image)
    pooled = layers.GlobalAveragePooling2D(keepdims=True)(x)
    pooled = resize_to(pooled, x.shape[1:3], "align-corners", name="pooled_resize")
    x = layers.Concatenate()([x, pooled])
    x = layers.Conv2D(4, 1, name="logits")(x)
    return keras.Model(image, resize_to(x, size, "align-corners", name="resize"))


def test_aligned_corners_take_sizes_of_their_stride_only():
    drawn = corners((65, 65))
    model = rebuild(drawn, (97, 129))
    direct = corners((97, 129))
    direct.set_weights(drawn.get_weights())
    assert_equal_models(model, direct, atol=1e-6)
    with pytest.raises(InputError, match="choose --size 65x65 or 73x73"):
        rebuild(drawn, (70, 70))


def pooled(size, grid):
    image = keras.Input((*size, 3))
    x = layers.Conv2D(6, 3, strides=8, padding="same", name="stem")(image)
    point = layers.AveragePooling2D(grid)(x)
    point = layers.Conv2D(6, 1, name="pooled")(point)
    return keras.Model(image, layers.Add()([x, layers.UpSampling2D(grid)(point)]))


def test_pooling_over_the_whole_map_stays_so():
    drawn = pooled((64, 64), (8, 8))
    direct = pooled((96, 48), (12, 6))
    direct.set_weights(drawn.get_weights())
    assert_equal_models(rebuild(drawn, (96, 48)), direct, atol=1e-6)


def test_resize_without_a_layer_follows_too():
    image = keras.Input((64, 64, 3))
    x = layers.Conv2D(4, 3, strides=4, padding="same")(image)
    drawn = keras.Model(image, keras.ops.image.resize(x, (64, 64)))
    assert rebuild(drawn, (96, 128)).output.shape == (1, 96, 128, 4)


def dense(image):
    return layers.Reshape((16, 16, 2))(layers.Dense(512)(layers.Flatten()(image)))


def prelu(image):
    return layers.Conv2D(2, 1)(layers.PReLU(name="spatial")(image))


def reshape(image):
    x = layers.Reshape((256, 3), name="rows")(image)
    return layers.Reshape((16, 16, 3), name="map")(layers.Softmax()(x))


def odd_grid(image):
    return layers.Resizing(13, 13, name="odd")(layers.Conv2D(2, 1)(image))


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (dense, r"\(Dense\) only takes the input size 16x16"),
        (prelu, r"'spatial' \(PReLU\) has a shape of the input"),
        (reshape, r"'rows' \(Reshape\) has a shape of the input size 16x16"),
        (odd_grid, r"'odd' \(Resizing\) has a side of 13, which is no grid"),
    ],
)
def test_layers_with_a_size_built_in_are_named(head, message):
    image = keras.Input((16, 16, 3))
    model = keras.Model(image, head(image))
    with pytest.raises(InputError, match=message):
        rebuild(model, (32, 32))


def test_reshape_of_a_pooled_point_is_no_obstacle():
    image = keras.Input((32, 32, 3))
    point = layers.Reshape((1, 1, 3))(layers.GlobalAveragePooling2D()(image))
    model = keras.Model(image, layers.Multiply()([image, point]))
    assert rebuild(model, (48, 64)).output.shape == (1, 48, 64, 3)


def test_nested_and_shared_layers_are_drawn_again():
    image = keras.Input((64, 64, 3))
    twice = layers.Conv2D(3, 3, padding="same")
    inner = networks.unet(keras)
    drawn = keras.Model(image, inner(twice(twice(image))))
    model = rebuild(drawn, (32, 48))
    small = rebuild(inner, (32, 48))
    tensor = picture(32, 48)
    expected = small.predict(twice(twice(tensor)).numpy(), verbose=0)
    np.testing.assert_allclose(model.predict(tensor, verbose=0), expected, atol=1e-5)


def test_network_of_any_size_takes_the_one_asked_for(tmp_path):
    networks.unet(keras, (None, None)).save(tmp_path / "any.keras")
    model = load_model(tmp_path / "any.keras", Loading(size=(32, 48))).model
    assert model.output.shape == (1, 32, 48, networks.CLASSES)


@pytest.mark.parametrize("size", [(0, 64), (64, -1), (8, 8), (64, 100_000)])
def test_absurd_sizes_are_refused(size, shapes_keras):
    with pytest.raises(InputError, match="sides of 16 to 4096 pixels"):
        load_model(shapes_keras, Loading(size=size))


def test_a_graph_that_keras_copied_before_is_drawn_again(tmp_path):
    keras.utils.clear_session()  # names are counted anew, as in a new process
    image = keras.Input((32, 32, 3))
    x = keras.ops.convert_to_tensor(image)  # as a copied graph begins
    model = keras.Model(image, keras.layers.Conv2D(2, 1)(x))
    assert "ConvertToTensor" in {type(one).__name__ for one in model.operations}
    model.save(tmp_path / "copied.keras")
    keras.utils.clear_session()
    loaded = load_model(tmp_path / "copied.keras").model
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 3))
    picture = picture.astype(np.float32)
    np.testing.assert_allclose(
        loaded.predict_on_batch(picture), model.predict_on_batch(picture), atol=1e-6
    )
