"""From real .keras files to int8, verified; and the files that must be refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scenes import score_scenes

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

from scenes import draw_dataset

from edgeseg.converter import convert
from edgeseg.converter.conversion.keras_device import KerasDevice, open_keras
from edgeseg.converter.conversion.request import Scoring
from edgeseg.converter.conversion.text import conversion_text
from edgeseg.converter.loading.format import Loading
from edgeseg.converter.loading.load import load_keras
from edgeseg.converter.quantization.quantize import check_dtypes
from edgeseg.devices import (
    ConversionError,
    InputError,
    ManifestError,
    ModelError,
    OutputError,
    check_device,
)
from edgeseg.runtime import Manifest, Overrides, Segmenter
from edgeseg.runtime.model.embedded import append_manifest, stored_manifest
from edgeseg.runtime.model.inspection import read_graph

pytestmark = pytest.mark.long  # converts or trains real networks


def test_everything_is_int8_and_parity_holds(shapes_conversion):
    result = shapes_conversion
    assert (result.input_dtype, result.output_dtype) == ("int8", "int8")
    assert set(result.activations) == {"int8"}
    assert result.float_parity.agreement > 0.999
    assert result.int8_parity.agreement > 0.95
    assert read_graph(result.path).operators == result.operators


def test_the_file_describes_itself(shapes_tflite):
    with Segmenter.open(shapes_tflite) as segmenter:
        manifest = segmenter.manifest
    assert manifest.labels == ("background", "disc", "square", "triangle")
    assert manifest.input_size == (129, 129)
    assert manifest.provenance["recipe"] == "int8"
    assert len(manifest.provenance["source_sha256"]) == 64


def test_int8_scores_like_float(shapes_keras, shapes_tflite, shapes_labels):
    with open_keras(shapes_keras, Overrides(labels=str(shapes_labels))) as reference:
        float_miou = score_scenes(reference, 40)
    with Segmenter.open(shapes_tflite) as segmenter:
        int8_miou = score_scenes(segmenter, 40)
    assert float_miou > 0.85
    # a collapsed activation range costs tens of points; rounding costs tenths
    np.testing.assert_allclose(int8_miou, float_miou, atol=0.02)


def test_keras_keeps_the_device_contract(shapes_keras):
    check_device(KerasDevice(load_keras(shapes_keras)))


def test_a_float_activation_is_refused():
    with pytest.raises(ConversionError, match="1 float32 such as mean"):
        check_dtypes({"int8": ("a", "b"), "float32": ("mean",)}, {"int8"})


def test_a_manifest_does_not_disturb_the_interpreter(shapes_tflite):
    plain = shapes_tflite.read_bytes()
    longer = append_manifest(plain, Manifest(labels=("x" * 5000,)))
    assert len(longer) != len(plain)
    assert read_graph(longer) == read_graph(plain)


def save(path, *layers, shape=(32, 32, 3)):
    import keras

    keras.Sequential([keras.Input(shape), *layers]).save(path)
    return path


def bad_models(tmp_path):
    import keras

    layers = keras.layers
    text = tmp_path / "text.keras"
    text.write_text("no model")
    whole = save(tmp_path / "whole.keras", layers.Conv2D(2, 1))
    cut = tmp_path / "cut.keras"
    cut.write_bytes(whole.read_bytes()[:-200])
    nan = keras.models.load_model(whole)
    nan.set_weights([np.full_like(w, np.nan) for w in nan.get_weights()])
    nan.save(tmp_path / "nan.keras")
    classifier = (layers.Flatten(), layers.Dense(10))
    any_size = {"shape": (None, None, 3)}
    return {
        tmp_path / "missing.keras": "no such file",
        text: "not a .keras file",
        cut: "not a .keras file",
        save(tmp_path / "classes.keras", *classifier): "is no map over a picture",
        save(tmp_path / "two.keras", layers.Conv2D(2, 1), shape=(32, 32, 2)): "got",
        save(tmp_path / "any.keras", layers.Conv2D(2, 1), **any_size): "any size",
        save(
            tmp_path / "code.keras", layers.Lambda(lambda x: x), layers.Conv2D(2, 1)
        ): "would run code",
        tmp_path / "nan.keras": "not finite",
    }


def test_bad_models_are_refused_and_leave_nothing(tmp_path, calibration):
    output = tmp_path / "out.tflite"
    for model, message in bad_models(tmp_path).items():
        with pytest.raises(ModelError, match=message):
            convert(model, calibration=calibration, output=output)
        assert not output.exists()


def test_labels_of_another_model(shapes_keras, calibration, tmp_path):
    output = tmp_path / "out.tflite"
    with pytest.raises(ManifestError, match="4 classes, got 21"):
        convert(
            shapes_keras,
            calibration=calibration,
            output=output,
            overrides=Overrides(labels="pascal-voc"),
        )
    assert not output.exists()


def test_unwritable_output(shapes_keras, calibration, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        convert(
            shapes_keras, calibration=calibration, output=tmp_path / "file" / "o.tflite"
        )


def test_unknown_recipe_lists_the_known(shapes_keras, calibration, tmp_path):
    with pytest.raises(InputError, match="known: dynamic-int8"):
        convert(
            shapes_keras,
            calibration=calibration,
            output=tmp_path / "o.tflite",
            recipe="int3",
        )


@pytest.fixture(scope="module")
def with_ranges(shapes_keras, calibration, shapes_labels, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranges")
    result = convert(
        shapes_keras,
        calibration=calibration,
        output=folder / "model.tflite",
        save_ranges=folder / "ranges.json",
        overrides=Overrides(labels=str(shapes_labels)),
        head="logits",  # the model ends in an upsampling: other than by default
    )
    return result, folder / "ranges.json"


def test_saved_ranges_make_the_same_file_without_photos(
    with_ranges, shapes_keras, shapes_labels, tmp_path
):
    first, ranges = with_ranges
    again = convert(
        shapes_keras,
        calibration=ranges,
        output=tmp_path / "again.tflite",
        overrides=Overrides(labels=str(shapes_labels)),
    )
    assert again.sha256 == first.sha256
    assert again.details["calibration"] == first.details["calibration"]
    assert len(first.details["calibration"]["pictures"]) == 40


def test_ranges_of_another_size_are_refused(with_ranges, shapes_keras, tmp_path):
    output = tmp_path / "out.tflite"
    with pytest.raises(InputError, match=r"same model .*--size .129, 129. there, .65"):
        convert(
            shapes_keras,
            calibration=with_ranges[1],
            output=output,
            loading=Loading(size=(65, 65)),
        )
    assert not output.exists()


@pytest.mark.parametrize(
    ("head", "io", "dtypes", "shape"),
    [
        ("labels", "uint8", ("uint8", "int32"), (1, 129, 129)),
        ("labels", "float32", ("float32", "int32"), (1, 129, 129)),
        ("logits", "uint8", ("uint8", "uint8"), (1, 129, 129, 4)),
        ("logits", "float32", ("float32", "float32"), (1, 129, 129, 4)),
    ],
)
def test_heads_and_types(
    head, io, dtypes, shape, with_ranges, shapes_keras, shapes_labels, tmp_path
):
    result = convert(
        shapes_keras,
        calibration=with_ranges[1],
        output=tmp_path / "out.tflite",
        overrides=Overrides(labels=str(shapes_labels)),
        head=head,
        io=io,
    )
    assert (result.input_dtype, result.output_dtype) == dtypes
    with Segmenter.open(result.path) as segmenter:
        assert segmenter.device.outputs[0].shape == shape
        assert score_scenes(segmenter, 20) > 0.85


def test_scores_at_the_networks_grid(
    shapes_keras, calibration, shapes_labels, tmp_path
):
    result = convert(
        shapes_keras,
        calibration=calibration,
        output=tmp_path / "out.tflite",
        overrides=Overrides(labels=str(shapes_labels)),
    )
    with Segmenter.open(result.path) as segmenter:
        assert segmenter.device.outputs[0].shape == (1, 65, 65, 4)
        assert segmenter.manifest.resize == "half-pixel"  # Keras' own Resizing
        assert segmenter.manifest.provenance["head"] == "logits-stride"
        assert score_scenes(segmenter, 20) > 0.85


def test_a_budget_that_is_met_at_once_and_its_report(
    with_ranges, shapes_keras, shapes_labels, tmp_path
):
    scenes = draw_dataset(tmp_path / "scenes", 12)
    result = convert(
        shapes_keras,
        calibration=with_ranges[1],
        output=tmp_path / "out.tflite",
        overrides=Overrides(labels=str(shapes_labels)),
        scoring=Scoring(scenes, max_drop=50.0),
        report=tmp_path / "report",
    )
    budget = result.details["budget"]
    assert (budget["met"], budget["chosen"]) == (True, 0)
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert report["hashes"]["result"] == result.sha256
    assert report["accuracy"]["images"] == 12
    assert len(report["layers"]) > 20
    page = (tmp_path / "report" / "report.html").read_text()
    assert "shapes.keras as int8" in page


def cancelling(source, path):
    """Write a model whose scores stand beside numbers a hundred times larger.

    Float takes these off again; in int8 nothing of the scores is left.
    """
    import keras

    model = keras.models.load_model(source)
    big = keras.layers.Conv2D(4, 1, name="big")
    large = big(model.input)
    shifted = keras.layers.Add(name="shifted")([model.output, large])
    result = keras.layers.Subtract(name="back")([shifted, large])
    whole = keras.Model(model.input, result)
    kernel = np.random.default_rng(0).normal(0, 2000, (1, 1, 3, 4))
    big.set_weights([kernel.astype(np.float32), np.zeros(4, np.float32)])
    whole.save(path)
    return path


def test_a_budget_keeps_the_operators_in_float_that_need_it(
    shapes_keras, calibration, shapes_labels, tmp_path
):
    scenes = draw_dataset(tmp_path / "scenes", 12)
    result = convert(
        cancelling(shapes_keras, tmp_path / "cancelling.keras"),
        calibration=calibration,
        output=tmp_path / "out.tflite",
        overrides=Overrides(labels=str(shapes_labels)),
        scoring=Scoring(scenes, max_drop=2.0),
        report=tmp_path / "report",
    )
    budget = result.details["budget"]
    assert budget["met"]
    assert budget["verification"]["met"]
    assert 0 < budget["chosen"] <= 6
    whole = budget["curve"][0]
    assert (whole["kept"], whole["drop"] > 0.3) == (0, True)
    assert result.activations["float32"] >= budget["chosen"]
    with Segmenter.open(result.path) as segmenter:
        kept = segmenter.manifest.provenance["kept_float"]
        assert len(kept) == budget["chosen"]
        assert score_scenes(segmenter, 20) > 0.85


def test_a_quantized_file_is_quantized_anew(shapes_tflite, calibration, tmp_path):
    output = tmp_path / "again.tflite"
    result = convert(shapes_tflite, calibration=calibration, output=output)
    file = result.details["original_parity"]
    # two roundings of the same network, on drawn shapes with few borders
    assert file["agreement"] > 0.97
    assert result.int8_parity.agreement > 0.97
    lines = conversion_text(result)
    assert f"network against {shapes_tflite.name} itself" in lines
    # its labels and preprocessing come along
    manifests = [stored_manifest(path) for path in (shapes_tflite, output)]
    assert manifests[0].labels == manifests[1].labels
    assert manifests[0].mean == manifests[1].mean
