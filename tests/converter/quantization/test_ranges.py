"""What calibration measured, and its file."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert.tools", reason="needs the extra `convert`")

from graphs import Drawing, convolution

from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.converter.quantization.quantize import Quantization
from edgeseg.converter.quantization.ranges import (
    fingerprint,
    load_ranges,
    measure,
    save_ranges,
)
from edgeseg.converter.recipes import load_recipe
from edgeseg.devices import ConversionError, InputError

SIZE = (1, 12, 12, 3)
MANIFEST = {"pictures": ["a.jpg", "b.jpg"], "seed": 0}


def network(*, seed=0, depthwise=True):
    random = np.random.default_rng(seed)
    draw = Drawing()
    kernel, bias = random.normal(size=(8, 3, 3, 3)), random.normal(size=8)
    end = convolution(draw, draw.image(SIZE), kernel, bias, (1, 12, 12, 8))
    end = draw.apply("RELU", [end], (1, 12, 12, 8))
    if depthwise:
        kernel, bias = random.normal(size=(1, 3, 3, 8)), random.normal(size=8)
        end = convolution(draw, end, kernel, bias, (1, 12, 12, 8), depthwise=True)
    return draw.content(end)


def pictures(count=8):
    random = np.random.default_rng(1)
    return list(random.normal(size=(count, *SIZE)).astype(np.float32))


@pytest.fixture(scope="module")
def content():
    return network()


@pytest.fixture(scope="module")
def flat(content):
    return FlatModel(content)


@pytest.fixture(scope="module")
def ranges(content):
    return measure(content, pictures(), calibration=MANIFEST)


@pytest.fixture
def file(ranges, flat, tmp_path):
    path = tmp_path / "ranges.json"
    path.write_bytes(save_ranges(ranges, flat))
    return path


def test_ranges_are_those_of_the_pictures(ranges):
    everything = np.stack(pictures())
    low, high = ranges.extremes["image"]
    assert (low, high) == (everything.min(), everything.max())
    inner = ranges.central["image"]
    assert low <= inner[0] < inner[1] <= high
    assert set(ranges.extremes) == set(ranges.central)
    assert len(ranges.extremes) == 4


def test_measuring_twice_finds_the_same(content, flat, ranges):
    again = measure(content, pictures(), calibration=MANIFEST)
    assert save_ranges(again, flat) == save_ranges(ranges, flat)


def test_progress_counts_pictures(content):
    seen = []
    measure(content, pictures(3), progress=seen.append)
    assert seen == [1, 2, 3]


def test_loaded_ranges_are_the_saved_ones(ranges, flat, file):
    loaded = load_ranges(file, flat)
    assert save_ranges(loaded, flat) == file.read_bytes()
    for name in ("graph", "extremes", "central", "calibration"):
        assert getattr(loaded, name) == getattr(ranges, name)
    assert sorted(loaded.rounded) == sorted(ranges.rounded) == [0, 2]
    for place, weights in ranges.rounded.items():
        again = dataclasses.asdict(loaded.rounded[place])
        for key, values in dataclasses.asdict(weights).items():
            np.testing.assert_array_equal(again[key], values)
            assert again[key].dtype == values.dtype


@pytest.mark.parametrize("recipe", ["int8", "int16x8"])
def test_loaded_ranges_make_the_same_file(recipe, content, flat, ranges, file):
    pytest.importorskip("ai_edge_quantizer", reason="needs the extra `convert`")
    made = [
        Quantization(content, load_recipe(recipe), one).make()
        for one in (ranges, load_ranges(file, flat))
    ]
    assert made[0] == made[1]


@pytest.mark.parametrize(
    "other",
    [network(seed=1), network(depthwise=False)],
    ids=["other weights", "other operators"],
)
def test_ranges_of_another_model_are_refused(other, flat, file):
    assert fingerprint(FlatModel(other)) != fingerprint(flat)
    with pytest.raises(InputError, match=r"another model.*calibrate again"):
        load_ranges(file, FlatModel(other))


def test_fingerprint_is_stable_over_a_round_trip(flat):
    assert fingerprint(FlatModel(flat.to_bytes())) == fingerprint(flat)


def change(key, value):
    def apply(stored):
        stored[key] = value

    return apply


def change_weights(key, edit):
    def apply(stored):
        stored["weights"]["0"][key] = edit(stored["weights"]["0"][key])

    return apply


DAMAGES = {
    "version": change("version", 99),
    "no extremes": lambda stored: stored.pop("extremes"),
    "no weights": lambda stored: stored.pop("weights"),
    "one end only": change("central", {"image": [1.0]}),
    "an end in words": change("central", {"image": ["low", "high"]}),
    "no such operator": lambda s: s["weights"].update({"77": s["weights"]["0"]}),
    "a place in words": lambda s: s["weights"].update({"x": s["weights"]["0"]}),
    "no convolution": lambda s: s["weights"].update({"1": s["weights"]["0"]}),
    "weights in a list": change("weights", [1, 2]),
    "cut base64": change_weights("moved", lambda text: text[:-3]),
    "no base64": change_weights("moved", lambda text: "?" + text[1:]),
    "no zlib": change_weights("moved", lambda text: "AAAA" + text[4:]),
    "scales of another layer": change_weights("scales", lambda text: "eJwDAAAAAAE="),
    "weights as a number": change_weights("scales", lambda text: 7),
    "no manifest": change("calibration", 3),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files_are_one_clear_line(damage, flat, file):
    stored = json.loads(file.read_text())
    DAMAGES[damage](stored)
    file.write_text(json.dumps(stored))
    with pytest.raises(
        InputError, match=r"holds no calibration ranges.*--save-ranges"
    ) as e:
        load_ranges(file, flat)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"3", b"null", b"\xff\xfe", b'"x"'])
def test_what_is_no_ranges_file_is_refused(text, flat, tmp_path):
    path = tmp_path / "ranges.json"
    path.write_bytes(text)
    with pytest.raises(InputError, match="holds no calibration ranges"):
        load_ranges(path, flat)


def test_a_missing_file_is_named(flat, tmp_path):
    with pytest.raises(InputError, match=r"cannot read ranges .*missing\.json"):
        load_ranges(tmp_path / "missing.json", flat)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(value, content):
    tensors = pictures(2)
    tensors[1][0, 0, 0, 0] = value
    with pytest.raises(ConversionError, match="not finite in"):
        measure(content, tensors)
