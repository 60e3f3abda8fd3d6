"""Every format in; one flat model out, or one clear line."""

from __future__ import annotations

import json
import resource
import shutil
import tempfile
import warnings
import zipfile

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

import h5py
import keras
import networks

from edgeseg.converter.conversion.keras_device import open_keras
from edgeseg.converter.loading.format import Loading
from edgeseg.converter.loading.load import (
    FORMATS,
    load_keras,
    load_model,
    single_channel_head,
)
from edgeseg.devices import EdgesegError, InputError, ModelError, OutputError

layers = keras.layers


def model_of(*chain, shape=(32, 32, 3)):
    return keras.Sequential([keras.Input(shape), *chain])


def saved(model, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras calls .h5 legacy
        model.save(path)
    return path


def test_formats_are_found_by_content():
    assert {"hdf5", "keras_file", "savedmodel"} <= set(FORMATS.names())


@pytest.mark.long
@pytest.mark.parametrize("suffix", ["keras", "h5", "weights", ""])
def test_suffix_does_not_matter(suffix, tmp_path):
    model = networks.unet(keras, (32, 32))
    original = saved(model, tmp_path / ("m.h5" if suffix == "weights" else "m.keras"))
    path = tmp_path / f"renamed.{suffix}"
    shutil.move(original, path)
    tensor = np.random.default_rng(0).random((1, 32, 32, 3), np.float32)
    loaded = load_keras(path)
    assert (loaded.input.shape, loaded.input.dtype) == ((1, 32, 32, 3), "float32")
    np.testing.assert_allclose(
        loaded.predict(tensor, verbose=0), model.predict(tensor, verbose=0), atol=1e-6
    )


@pytest.mark.long
def test_segmenter_opens_every_format(tmp_path):
    model = networks.segnet(keras, (32, 32))
    model.export(str(tmp_path / "folder"), verbose=False)
    paths = [saved(model, tmp_path / name) for name in ("m.keras", "m.h5")]
    frame = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)
    ids = []
    for path in (*paths, tmp_path / "folder"):
        with open_keras(path) as segmenter:
            ids.append(segmenter.segment(frame).ids)
    assert len(np.unique(ids[0])) > 1
    for other in ids[1:]:
        np.testing.assert_array_equal(other, ids[0])


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"arch": "deeplabv3plus-xception"}, "--arch"),
        ({"output_stride": 8}, "--output-stride"),
        ({"resize": "legacy", "output_stride": 16}, "--output-stride, --resize"),
    ],
)
@pytest.mark.parametrize("name", ["m.keras", "m.h5", "folder"])
def test_options_of_weights_files_mean_nothing_to_whole_models(
    name, options, named, tmp_path
):
    model = model_of(layers.Conv2D(2, 1))
    if name == "folder":
        model.export(str(tmp_path / name), verbose=False)
    else:
        saved(model, tmp_path / name)
    with pytest.raises(InputError, match=f"whole model.* {named} applies to weights"):
        load_model(tmp_path / name, Loading(**options))


def write_zip(path, **members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return path


def bad_files(tmp_path):
    whole = saved(model_of(layers.Conv2D(2, 1)), tmp_path / "whole.h5")
    cut = tmp_path / "cut.h5"
    cut.write_bytes(whole.read_bytes()[:-3000])
    text = tmp_path / "text.h5"
    text.write_text("no model")
    empty = tmp_path / "empty.h5"
    h5py.File(empty, "w").close()
    weights = tmp_path / "other.weights.h5"
    model_of(layers.Conv2D(2, 1)).save_weights(weights)
    bare = tmp_path / "bare.h5"
    with h5py.File(bare, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Model"})
    odd = tmp_path / "odd.h5"
    shutil.copy(whole, odd)
    with h5py.File(odd, "r+") as file:
        file.attrs["model_config"] = "[]"
    swapped = tmp_path / "swapped.h5"
    shutil.copy(saved(model_of(layers.Conv2D(5, 3)), tmp_path / "five.h5"), swapped)
    with h5py.File(swapped, "r+") as file, h5py.File(whole) as other:
        file.attrs["model_config"] = other.attrs["model_config"]
    crc = saved(model_of(layers.Conv2D(2, 1)), tmp_path / "crc.keras")
    damaged = bytearray(crc.read_bytes())
    damaged[60:90] = bytes(30)
    crc.write_bytes(damaged)
    (tmp_path / "folder").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "saved_model.pb").write_bytes(b"no graph")
    (tmp_path / "hollow").mkdir()
    (tmp_path / "hollow" / "saved_model.pb").touch()
    return {
        tmp_path / "missing.h5": "no such file",
        cut: "damaged or truncated HDF5",
        text: "not an HDF5 file",
        empty: "weights without a network",
        weights: "weights without a network",
        bare: "a network but no weights",
        odd: "holds no network",
        swapped: "cannot load",
        crc: "archive is damaged",
        write_zip(tmp_path / "photos.keras", a_txt="1"): "lacks config.json",
        write_zip(
            tmp_path / "list.keras", config_json="[]", model_weights_h5="x"
        ): "holds no network",
        write_zip(
            tmp_path / "words.keras", config_json="{", model_weights_h5="x"
        ): "archive is damaged",
        tmp_path / "folder": "no SavedModel",
        tmp_path / "broken": "damaged",
        tmp_path / "hollow": "no graph",
    }


def test_bad_files_get_one_line_each(tmp_path):
    for path, message in bad_files(tmp_path).items():
        with pytest.raises(ModelError, match=message) as caught:
            load_model(path)
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)


def test_a_full_temporary_folder_is_named(tmp_path, monkeypatch):
    path = saved(networks.unet(keras, (32, 32)), tmp_path / "m.keras")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, limits[1]))
    try:
        with pytest.raises(OutputError, match=rf"copy of .* into {tmp_path}.*TMPDIR"):
            load_model(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [one.name for one in tmp_path.iterdir()] == ["m.keras"]


def test_other_network_cannot_fill_an_architecture(tmp_path):
    weights = tmp_path / "other.weights.h5"
    model_of(layers.Conv2D(2, 1)).save_weights(weights)
    with pytest.raises(InputError, match="deeplabv3plus-xception cannot be filled"):
        load_model(weights, Loading(arch="deeplabv3plus-xception"))


def test_cut_anywhere_a_file_is_refused_with_our_own_error(tmp_path):
    for name in ("m.keras", "m.h5"):
        whole = saved(networks.unet(keras, (32, 32)), tmp_path / name).read_bytes()
        for part in (0.1, 0.5, 0.9, 0.99):
            path = tmp_path / f"cut_{name}"
            path.write_bytes(whole[: int(part * len(whole))])
            with pytest.raises(EdgesegError):
                load_model(path)


def test_weight_that_is_not_finite_is_named(tmp_path):
    model = model_of(layers.Conv2D(2, 1, name="good"), layers.Conv2D(2, 1, name="bad"))
    kernel, bias = model.get_layer("bad").get_weights()
    model.get_layer("bad").set_weights([kernel, np.full_like(bias, np.inf)])
    for name in ("m.keras", "m.h5"):
        with pytest.raises(ModelError, match="bad/bias holds values that are not"):
            load_model(saved(model, tmp_path / name))


def test_a_score_for_each_pixel_is_a_map_of_one_channel(tmp_path):
    path = serve(tmp_path, lambda x: x[..., 0], (1, 32, 32, 3))
    assert load_model(path).model.output.shape == (1, 32, 32, 1)


def test_ids_instead_of_scores_are_refused(tmp_path):
    image = keras.Input((32, 32, 3))
    model = keras.Model(image, keras.ops.argmax(image, axis=-1))
    with pytest.raises(ModelError, match="no segmentation model"):
        load_model(saved(model, tmp_path / "ids.keras"))


@pytest.mark.parametrize(
    ("tail", "head"),
    [
        ([layers.Conv2D(1, 1)], "logit"),
        ([layers.Conv2D(1, 1, activation="sigmoid")], "probability"),
        ([layers.Conv2D(1, 1), layers.Activation("sigmoid")], "probability"),
        (
            [layers.Conv2D(1, 1, activation="sigmoid"), layers.UpSampling2D()],
            "probability",
        ),
        ([layers.Conv2D(1, 1), layers.UpSampling2D()], "logit"),
        ([layers.Conv2D(2, 1)], None),
    ],
)
def test_head_of_one_channel_is_seen_through_resizes(tail, head, tmp_path):
    path = saved(model_of(*tail), tmp_path / "m.keras")
    assert single_channel_head(load_keras(path)) == head


def serve(tmp_path, function, *shapes, **signatures):
    import tensorflow as tf

    module = tf.Module()
    specs = [tf.TensorSpec(shape) for shape in shapes]
    module.call = tf.function(function, input_signature=specs)
    path = tmp_path / "graph"
    signatures = {name: module.call for name in signatures or ("serving_default",)}
    tf.saved_model.save(module, str(path), signatures=signatures)
    return path


def test_graph_of_any_size_needs_one(tmp_path):
    path = serve(tmp_path, lambda x: x[..., :2] * 2, (None, None, None, 3))
    with pytest.raises(ModelError, match="any size: choose one with --size"):
        load_model(path)
    model = load_model(path, Loading(size=(48, 32))).model
    assert model.output.shape == (1, 48, 32, 2)
    tensor = np.random.default_rng(0).random((1, 48, 32, 3), np.float32)
    np.testing.assert_allclose(model.predict(tensor, verbose=0), 2 * tensor[..., :2])


def test_graph_of_one_size_keeps_it(tmp_path):
    path = serve(tmp_path, lambda x: x * 2, (1, 32, 32, 3))
    with pytest.raises(InputError, match="saved for 32x32 alone"):
        load_model(path, Loading(size=(64, 64)))
    assert load_model(path, Loading(size=(32, 32))).notes


def test_graph_that_writes_files_is_refused_before_it_runs(tmp_path):
    import tensorflow as tf

    trace = tmp_path / "trace"

    def write(x):
        with tf.control_dependencies([tf.io.write_file(str(trace), "here")]):
            return tf.identity(x)

    path = serve(tmp_path, write, (1, 32, 32, 3))
    with pytest.raises(ModelError, match=r"WriteFile in function .*--trust-model"):
        load_model(path)
    assert not trace.exists()
    assert load_model(path, Loading(trust=True)).model.output.shape == (1, 32, 32, 3)


def test_graph_with_python_inside_is_refused(tmp_path):
    import tensorflow as tf

    def call(x):
        y = tf.numpy_function(lambda v: v + 1, [x], tf.float32)
        return tf.ensure_shape(y, x.shape)

    path = serve(tmp_path, call, (1, 32, 32, 3))
    with pytest.raises(ModelError, match="PyFunc"):
        load_model(path)


@pytest.mark.parametrize(
    ("function", "shapes", "signatures", "message"),
    [
        (lambda x: {"a": x, "b": x}, [(1, 32, 32, 3)], {}, "one output, got a, b"),
        (lambda x, y: x + y, [(1, 32, 32, 3)] * 2, {}, "one float32 input"),
        (lambda x: x, [(4, 32, 32, 3)], {}, "one float32 input"),
        (lambda x: x, [(1, 32, 32, 3)], {"a": 0, "b": 0}, "no signature .* got a, b"),
        (lambda x: x[..., :7, 0], [(1, 32, 32, 3)], {}, "is no map over a picture"),
        (lambda x: x[0, 0, 0], [(1, 32, 32, 3)], {}, "no segmentation model"),
    ],
)
def test_graph_of_another_kind(function, shapes, signatures, message, tmp_path):
    path = serve(tmp_path, function, *shapes, **signatures)
    with pytest.raises(ModelError, match=message):
        load_model(path)


@pytest.mark.long
def test_real_whole_model_keeps_its_answers_at_another_size(shared):
    path = (
        shared / "models/keras/deeplabv3_mobilenetv2_dm05_voc_os8_257_halfpixel.keras"
    )
    model = load_model(path, Loading(size=(129, 193))).model
    assert model.output.shape == (1, 129, 193, 21)
    original = keras.models.load_model(path)
    np.testing.assert_array_equal(model.get_weights()[0], original.get_weights()[0])


def test_release_weights_come_with_their_alignment(shared):
    path = shared / "models/keras/deeplabv3_mobilenetv2_dm05_voc_os8_257_release.h5"
    loaded = load_model(path, Loading(size=(129, 129)))
    assert loaded.resize == "align-corners"
    assert loaded.model.input.shape == (1, 129, 129, 3)
    legacy = load_model(path, Loading(size=(128, 128), resize="legacy"))
    assert legacy.resize == "legacy"
