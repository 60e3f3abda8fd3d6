"""Weights of the public release: matched without a rest, or refused with a reason."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")
pytest.importorskip("h5py", reason="needs the extra `convert`")

import h5py

from edgeseg.converter.backbones.mobilenet_v2 import MobileNetV2
from edgeseg.converter.backbones.xception import Xception
from edgeseg.converter.conversion.float_model import lower
from edgeseg.converter.loading.release import (
    architectures,
    is_release_layout,
    load_release,
)
from edgeseg.converter.loading.release_weights import read_weights
from edgeseg.converter.networks.deeplab import SegmentationHead, build_deeplab
from edgeseg.devices import InputError, ModelError
from edgeseg.devices.litert import open_interpreter
from edgeseg.runtime import Manifest, Overrides, Segmenter
from edgeseg.runtime.model.embedded import append_manifest
from edgeseg.runtime.pictures.files import read_picture

SLIM = MobileNetV2(8, (4, 6, 8, 8, 8, 12, 16))
PLAIN = SegmentationHead(classes=3, decoder=False, pyramid=False, width=8)


def write_release(model, path, *, text=str, rename=None):
    """Write a model's weights as Keras 2 does: groups, names, a list of both."""
    rename = rename or {}
    with h5py.File(path, "w") as file:
        layers = [rename.get(layer.name, layer.name) for layer in model.layers]
        file.attrs["layer_names"] = [text(name) for name in layers]
        for name, layer in zip(layers, model.layers, strict=True):
            group = file.create_group(name)
            depthwise = type(layer).__name__ == "DepthwiseConv2D"
            prefix = f"{name}/depthwise_" if depthwise else f"{name}/"
            names = [f"{prefix}{weight.name}:0" for weight in layer.weights]
            group.attrs["weight_names"] = [text(n) for n in names]
            for full, values in zip(names, layer.get_weights(), strict=True):
                group[full] = values
    return path


def randomize(model):
    generator = np.random.default_rng(5)
    for weight in model.weights:
        positive = weight.name in ("gamma", "moving_variance")
        values = generator.normal(1 if positive else 0, 0.1, weight.shape)
        weight.assign(values.astype(np.float32))
    return model


def network(backbone=SLIM, head=PLAIN, *, size=65, stride=16):
    model = build_deeplab(backbone, head, size=(size, size), output_stride=stride)
    return randomize(model)


@pytest.fixture(scope="module")
def slim(tmp_path_factory):
    """Three classes, no decoder, os 16."""
    path = tmp_path_factory.mktemp("release") / "slim_os16_65.h5"
    return write_release(network(), path)


def edited(path, target, edit):
    target.write_bytes(path.read_bytes())
    with h5py.File(target, "r+") as file:
        edit(file)
    return target


def drop(*names):
    def edit(file):
        kept = [name for name in file.attrs["layer_names"] if name not in names]
        file.attrs["layer_names"] = kept

    return edit


def replace(weight, change):
    def edit(file):
        node = f"{weight.split('/')[0]}/{weight}:0"
        values = change(file[node][()])
        del file[node]
        file[node] = values

    return edit


def same_weights(model, other):
    for ours, theirs in zip(model.weights, other.weights, strict=True):
        assert ours.path == theirs.path
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.long
@pytest.mark.parametrize("stride", [8, 16])
def test_xception_65_with_every_weight_matched(stride, tmp_path):
    model = network(Xception(), SegmentationHead(classes=19), size=129, stride=stride)
    path = write_release(model, tmp_path / f"cityscapes_xception_os{stride}_129.h5")
    release = load_release(path)
    assert release.arch == "deeplabv3plus-xception"
    assert release.output_stride == stride
    assert release.model.output.shape == (1, 129, 129, 19)
    same_weights(release.model, model)


@pytest.mark.long
def test_an_xception_lowers_to_the_same_numbers(tmp_path):
    backbone = Xception((8, 8), (8, 8, 16), (16, 16, 16, 16, 16, 16))
    head = SegmentationHead(classes=4, width=8, low_width=4)
    model = network(backbone, head, size=65, stride=8)
    path = write_release(model, tmp_path / "x.h5", text=str.encode)
    release = load_release(path, size=(65, 65), output_stride=8)
    x = np.random.default_rng(1).uniform(-1, 1, (1, 65, 65, 3)).astype(np.float32)
    interpreter = open_interpreter(lower(release.model))
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    got = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    expected = model.predict_on_batch(x)
    np.testing.assert_allclose(got, expected, atol=1e-4 * np.abs(expected).max())


def test_notes_say_what_was_assumed(slim, tmp_path):
    notes = " ".join(load_release(slim).notes)
    assert "architecture deeplabv3-mobilenetv2 from the layer names" in notes
    assert "3 classes and MobileNetV2(stem=8" in notes
    assert "output stride 16 from the file's name" in notes
    assert "size 65x65 from the file's name" in notes
    unnamed = tmp_path / "voc2012_weights_2012.h5"
    unnamed.write_bytes(slim.read_bytes())
    release = load_release(unnamed, arch="deeplabv3-mobilenetv2", resize="half-pixel")
    notes = " ".join(release.notes)
    assert "architecture" not in notes
    assert "output stride 8 as the public release" in notes
    assert "size 512x512" in notes
    assert release.model.input.shape == (1, 512, 512, 3)
    assert release.resize == "half-pixel"


def test_what_is_asked_for_wins_over_the_name(slim):
    release = load_release(slim, size=(81, 97), output_stride=8)
    assert release.output_stride == 8
    assert release.model.input.shape == (1, 81, 97, 3)
    assert not [n for n in release.notes if "stride" in n or "size" in n]


@pytest.mark.parametrize("text", [str, str.encode])
def test_names_may_be_bytes_and_the_head_may_be_a_custom_one(text, tmp_path):
    model = network()
    custom = {"logits_semantic": "custom_logits_semantic"}
    path = write_release(model, tmp_path / "a_65.h5", text=text, rename=custom)
    same_weights(load_release(path, output_stride=16).model, model)


def test_a_list_of_names_in_pieces(slim, tmp_path):
    def split(file):
        names = list(file.attrs["layer_names"])
        del file.attrs["layer_names"]
        file.attrs["layer_names0"], file.attrs["layer_names1"] = names[:9], names[9:]

    path = edited(slim, tmp_path / "slim_os16_65.h5", split)
    assert is_release_layout(path)
    same_weights(load_release(path).model, load_release(slim).model)


def test_a_file_of_keras_2_itself(tmp_path):
    keras2 = pytest.importorskip("tf_keras", reason="needs tf-keras, which is Keras 2")
    layers = keras2.layers
    image = keras2.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, use_bias=False, name="Conv")(image)
    x = layers.BatchNormalization(name="Conv_BN")(x)
    x = layers.DepthwiseConv2D(3, use_bias=False, name="expanded_conv_depthwise")(x)
    model = keras2.Model(image, layers.Conv2D(2, 1, name="logits_semantic")(x))
    model.save_weights(tmp_path / "keras2.h5")
    assert is_release_layout(tmp_path / "keras2.h5")
    weights = read_weights(tmp_path / "keras2.h5")
    flat = [array for arrays in weights.values() for array in arrays.values()]
    for array, expected in zip(flat, model.get_weights(), strict=True):
        np.testing.assert_array_equal(array, expected)
    assert [list(arrays) for arrays in weights.values()] == [
        ["kernel"],
        ["gamma", "beta", "moving_mean", "moving_variance"],
        ["kernel"],
        ["kernel", "bias"],
    ]


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (drop("aspp0_BN"), "lacks 1 layers.*'aspp0_BN': another atrous pyramid"),
        (drop("Conv"), "lack the layer 'Conv'"),
        (drop("expanded_conv_depthwise"), "of another network: .*'Conv'"),
        (
            replace("image_pooling/kernel", lambda k: k[..., :4]),
            r"'image_pooling' should hold .*16, 8\).*has .*16, 4\).*backbone",
        ),
        (
            replace("expanded_conv_2_project/kernel", lambda k: k[..., :4]),
            r"'expanded_conv_2_project'.*\(1, 1, 36, 6\).*\(1, 1, 36, 4\).*alpha",
        ),
        (
            replace("logits_semantic/bias", lambda b: np.append(b, b)),
            r"'logits_semantic'.*\(3,\).*\(6,\).*number of classes",
        ),
        (
            replace("expanded_conv_3_expand/kernel", lambda k: k * np.nan),
            "'kernel' of the layer 'expanded_conv_3_expand'.*not finite",
        ),
        (replace("Conv/kernel", lambda k: k[..., :0]), "lack the layer 'Conv'"),
        (
            lambda file: file.move("aspp0", "elsewhere"),
            "cannot read weights .*damaged",
        ),
    ],
)
def test_weights_that_do_not_match_are_refused(slim, tmp_path, edit, message):
    path = edited(slim, tmp_path / "slim_os16_65.h5", edit)
    with pytest.raises(ModelError, match=message) as caught:
        load_release(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_weights_too_many_are_refused(slim, tmp_path):
    def add(file):
        names = [*file.attrs["layer_names"], "decoder_conv9"]
        file.attrs["layer_names"] = names
        file.copy("aspp0", "decoder_conv9")

    path = edited(slim, tmp_path / "slim_os16_65.h5", add)
    with pytest.raises(ModelError, match="lack the layer 'feature_projection0'"):
        load_release(path)
    with pytest.raises(ModelError, match=r"has 'decoder_conv9' \(a decoder\)|a decod"):
        load_release(path, arch="deeplabv3-mobilenetv2")


def test_a_stray_layer_is_refused(slim, tmp_path):
    def add(file):
        file.attrs["layer_names"] = [*file.attrs["layer_names"], "edge_refinement"]
        file.copy("aspp0", "edge_refinement")

    path = edited(slim, tmp_path / "slim_os16_65.h5", add)
    with pytest.raises(ModelError, match=r"1 layers that .*'edge_refinement'"):
        load_release(path)


@pytest.mark.parametrize(
    ("arch", "message"),
    [
        ("deeplabv3plus-xception", "'entry_flow_conv1_1'.*'expanded_conv_depthwise'"),
        ("deeplabv3plus-mobilenetv2", "decoder_conv0_depthwise.*no decoder"),
    ],
)
def test_another_architecture_than_asked_for(slim, arch, message):
    with pytest.raises(ModelError, match=f"{message}.*it is deeplabv3-mobilenetv2"):
        load_release(slim, arch=arch)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"arch": "deeplabv4"}, "known: deeplabv3-mobilenetv2, deeplabv3-xception"),
        ({"output_stride": 32}, "8 or 16, got 32"),
        ({"resize": "nearest"}, "one of align-corners"),
        ({"size": (64, 65)}, r"k\*16\+1: choose height 49 or 65$"),
        ({"size": (65, 65), "resize": "legacy"}, "height 64 or 80 and width 64 or 80$"),
    ],
)
def test_options_that_cannot_be(slim, options, message):
    with pytest.raises(InputError, match=message):
        load_release(slim, **options)


def test_files_of_other_layouts(slim, tmp_path):
    whole = edited(
        slim, tmp_path / "whole.h5", lambda f: f.attrs.update(model_config="{}")
    )
    text = tmp_path / "text.h5"
    text.write_text("no HDF5")
    cut = tmp_path / "cut.h5"
    cut.write_bytes(slim.read_bytes()[:3000])
    assert is_release_layout(slim)
    for path in (whole, text, cut):
        assert not is_release_layout(path)
        with pytest.raises(ModelError, match="no weights-only HDF5 file of Keras 2"):
            load_release(path)
    with pytest.raises(ModelError, match="no such file"):
        load_release(tmp_path / "none.h5")


def test_a_truncated_file_is_refused_or_read_whole(slim, tmp_path):
    content = slim.read_bytes()
    cut = tmp_path / "slim_os16_65.h5"
    for share in (0.3, 0.6, 0.9, 0.999):
        cut.write_bytes(content[: int(share * len(content))])
        with pytest.raises(ModelError):
            load_release(cut)


def test_architectures_are_backbones_with_and_without_decoder():
    assert set(architectures()) >= {
        "deeplabv3-mobilenetv2",
        "deeplabv3plus-mobilenetv2",
        "deeplabv3plus-xception",
    }


# === Real weights against the TFLite files that they were rebuilt from ===


def lowered_segmenter(path, folder, overrides, **options):
    release = load_release(path, **options)
    manifest = overrides.apply(Manifest(resize=release.resize))
    target = folder / "lowered.tflite"
    target.write_bytes(append_manifest(lower(release.model), manifest))
    return Segmenter.open(target)


def agreements(first, second, pictures):
    frames = [read_picture(path) for path in pictures]
    return [
        float((first.segment(frame).ids == second.segment(frame).ids).mean())
        for frame in frames
    ]


def pictures_of(voc, count):
    ids = (voc / "val" / "val.txt").read_text().split()[:count]
    return [voc / "val" / "JPEGImages" / f"{name}.jpg" for name in ids]


@pytest.mark.long
def test_dm05_is_the_float_file_it_came_from(shared, voc, tmp_path):
    labels = Overrides(labels="pascal-voc")
    source = shared / "models/tflite/tflite-support" / "deeplabv3_tflite_support.tflite"
    name = "deeplabv3_mobilenetv2_dm05_voc_os8_257_release.h5"
    with (
        lowered_segmenter(
            shared / "models/keras" / name, tmp_path, labels
        ) as candidate,
        Segmenter.open(source, overrides=labels) as original,
    ):
        agreement = agreements(candidate, original, pictures_of(voc, 16))
    assert np.mean(agreement) >= 0.9999


def reference_kernels(path):
    """The same file without a delegate: TFLite's own integer arithmetic."""
    interpreter = open_interpreter(path, delegate=False)
    interpreter.allocate_tensors()

    def run(tensor):
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], tensor)
        interpreter.invoke()
        return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])

    return run


@pytest.mark.long
def test_voc_is_as_near_to_the_quantized_file_as_that_to_itself(shared, voc, tmp_path):
    """Its own kernels, with a delegate and without, differ more than float does."""
    labels = Overrides(labels="pascal-voc")
    source = shared / "models/tflite/google-coral/deeplabv3_mnv2_pascal_quant.tflite"
    name = "deeplabv3_mobilenetv2_voc_os16_513_release.h5"
    pictures = pictures_of(voc, 8)
    run = reference_kernels(source)
    itself = []
    with (
        lowered_segmenter(
            shared / "models/keras" / name, tmp_path, labels
        ) as candidate,
        Segmenter.open(source, overrides=labels) as original,
    ):
        agreement = agreements(candidate, original, pictures)
        for frame in map(read_picture, pictures):
            again = original.ids_from(run(original.tensor(frame)), frame.shape[:2])
            itself.append((again == original.segment(frame).ids).mean())
    assert np.mean(agreement) >= 0.985
    assert np.mean(agreement) >= np.mean(itself) - 0.002


@pytest.mark.long
def test_ade20k_with_a_decoder_at_legacy_512(shared, tmp_path):
    labels = Overrides(labels="ade20k-mlperf32")
    source = shared / "models/tflite/mlperf/deeplabv3_mnv2_ade20k_int8.tflite"
    name = "deeplabv3plus_mobilenetv2_ade20k32_os16_513_release.h5"
    photos = sorted((shared / "data/samples/mlperf-ade20k-tiny").glob("*.jpg"))
    with (
        lowered_segmenter(
            shared / "models/keras" / name, tmp_path, labels, resize="legacy"
        ) as candidate,
        Segmenter.open(source, overrides=labels) as original,
    ):
        assert candidate.input_hw == (512, 512)
        agreement = agreements(candidate, original, photos)
    assert len(agreement) == 10
    assert np.mean(agreement) >= 0.97


def test_a_release_holds_no_more_than_it_says(slim):
    release = load_release(slim)
    with pytest.raises(dataclasses.FrozenInstanceError):
        release.resize = "legacy"
