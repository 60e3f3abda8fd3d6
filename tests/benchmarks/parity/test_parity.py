"""`edgeseg parity` and `edgeseg compare` on real models, and what they refuse."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from scenes import draw_dataset

from edgeseg.benchmarks.commands.parity import compare, parity
from edgeseg.benchmarks.commands.reference import reference
from edgeseg.benchmarks.parity.compare import compare_models
from edgeseg.benchmarks.parity.layers import first_difference, layer_differences
from edgeseg.devices import InputError
from edgeseg.runtime import Overrides, Segmenter, open_source
from edgeseg.runtime.pictures.files import read_ids, read_picture

DARKER = ("--normalize", "100,127.5")
SOURCE = "synthetic:96x64,frames=3,still"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return draw_dataset(tmp_path_factory.mktemp("drawn"), 6)


@pytest.fixture(scope="module")
def made(drawn, golden_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "ref"
    code, output, _ = call(reference, golden_model, drawn, "-o", folder, *DARKER)
    assert code == 0, output
    return folder


def call(command, *arguments):
    done = CliRunner().invoke(command, [str(a) for a in arguments])
    return done.exit_code, done.output, done.exception


def told(command, *arguments):
    code, output, error = call(command, *arguments, "--json")
    assert code == 0, (output, error)
    return json.loads(output)


def test_parity_counts_equal_labels(golden_model, drawn, made):
    got = told(parity, golden_model, made)
    equal = pixels = 0
    shares = {}
    with Segmenter.open(golden_model) as segmenter:
        for path in sorted((drawn / "JPEGImages").iterdir()):
            same = segmenter.segment(read_picture(path)).ids == read_ids(
                made / "ids" / f"{path.stem}.png"
            )
            equal, pixels = equal + same.sum(), pixels + same.size
            shares[path.stem] = same.mean()
    np.testing.assert_allclose(got["agreement"], equal / pixels, rtol=1e-12)
    worst = got["worst"][0]
    assert worst["name"] == min(shares, key=shares.get)
    np.testing.assert_allclose(worst["agreement"], min(shares.values()), rtol=1e-12)
    assert 0.9 < got["agreement"] < 1


def test_a_model_has_parity_with_itself(golden_model, made):
    assert told(parity, golden_model, made, *DARKER)["agreement"] == 1


def test_least_makes_it_a_check(golden_model, made):
    assert call(parity, golden_model, made, "--least", "0.9")[0] == 0
    code, output, _ = call(parity, golden_model, made, "--least", "0.9999")
    assert code == 1
    assert "expected at least 99.9900%" in output


def test_parity_finds_pictures_that_moved(golden_model, drawn, made, tmp_path):
    moved = tmp_path / "moved"
    moved.symlink_to(drawn)
    got = told(parity, golden_model, made, "--dataset", moved, "--limit", "2")
    assert got["images"] == 2


def test_parity_refuses_other_pictures(golden_model, made, tmp_path):
    other = draw_dataset(tmp_path, 3)
    _, _, error = call(parity, golden_model, made, "--dataset", other)
    assert isinstance(error, InputError)
    assert "another data set" in str(error)


def test_compare_counts_labels_and_steps(golden_model):
    overrides = Overrides(normalize=(100.0, 127.5))
    with (
        Segmenter.open(golden_model) as first,
        Segmenter.open(golden_model, overrides=overrides) as second,
        open_source(SOURCE) as source,
    ):
        got = compare_models(first, second, source)
        equal, largest = [], 0
        with open_source(SOURCE) as again:
            for capture in again.captures():
                ids = [s.segment(capture.frame).ids for s in (first, second)]
                equal.append((ids[0] == ids[1]).mean())
                a, b = (
                    s.device.infer(s.tensor(capture.frame))[0].astype(int)
                    for s in (first, second)
                )
                largest = max(largest, abs(a - b).max())
    np.testing.assert_allclose(got.flips.agreement, np.mean(equal), rtol=1e-12)
    assert 0.5 < got.flips.agreement < 1
    assert largest > 0
    np.testing.assert_allclose(got.scores.steps, largest, rtol=1e-5)


def test_compare_prints_a_model_with_itself(golden_model):
    options = (SOURCE, "--layers", "--limit", "2")
    code, output, _ = call(compare, golden_model, golden_model, *options)
    assert code == 0
    assert "100.0000 %" in output
    assert "0.00 steps of the coarser model" in output
    assert "none of 33 shared operators differs" in output
    got = told(compare, golden_model, golden_model, *options)
    assert got["first_difference"] is None
    assert got["images"] == 2


def changed(content, name):
    """Return a model whose operator that writes `name` has another bias."""
    from edgeseg.converter.quantization.flatbuffer import FlatModel

    flat = FlatModel(content)
    index = next(i for i in flat.producers() if flat.name(i) == name)
    bias = int(flat.producers()[index].inputs[2])
    flat.set_constant(bias, flat.constant(bias) + np.int32(5000))
    return flat.to_bytes()


def test_layers_name_the_first_operator_that_differs(golden_model):
    content = golden_model.read_bytes()
    with Segmenter.open(golden_model) as s, open_source(SOURCE) as source:
        tensors = [(s.tensor(c.frame),) * 2 for c in source.captures()]
    whole = layer_differences(content, content, tensors)
    assert first_difference(whole) is None
    convolutions = [x for x in whole if x.operator == "CONV_2D"]
    planted = convolutions[len(convolutions) // 2].name
    found = layer_differences(content, changed(content, planted), tensors)
    first = first_difference(found)
    assert first.name == planted
    assert first.largest > 0
    before = [x.largest for x in found[: found.index(first)]]
    assert before == [0] * len(before)


def test_layers_need_models_of_one_network(golden_model):
    with pytest.raises(InputError, match="0 pictures"):
        layer_differences(golden_model.read_bytes(), golden_model.read_bytes(), [])


def test_layers_need_tflite_files(golden_model, shapes_keras):
    _, _, error = call(compare, shapes_keras, golden_model, SOURCE, "--layers")
    assert isinstance(error, InputError)
    assert "two .tflite files" in str(error)


def test_compare_refuses_models_of_other_classes(golden_model, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("background\ndisc\nsquare\nstar\n")
    with (
        Segmenter.open(golden_model) as first,
        Segmenter.open(golden_model, overrides=Overrides(labels=str(names))) as second,
        open_source(SOURCE) as source,
        pytest.raises(InputError, match="same classes in the same order"),
    ):
        compare_models(first, second, source)


def test_compare_tells_what_it_cannot_read(golden_model, tmp_path):
    (tmp_path / "text.jpg").write_text("no picture")
    _, _, error = call(compare, golden_model, golden_model, tmp_path)
    assert isinstance(error, InputError)
    assert "text.jpg" in str(error)


def test_float_and_int8_differ_by_steps(shapes_keras, golden_model, shapes_labels):
    pytest.importorskip("tensorflow", reason="needs the extra `convert`")
    options = (SOURCE, "--labels", shapes_labels)
    got = told(compare, shapes_keras, golden_model, *options)
    assert 0.97 < got["agreement"] < 1
    with Segmenter.open(golden_model) as segmenter:
        step = segmenter.device.outputs[0].scale
    np.testing.assert_allclose(got["scores"]["step"], step, rtol=1e-6)
    assert 0.5 < got["scores"]["steps"] < 256
