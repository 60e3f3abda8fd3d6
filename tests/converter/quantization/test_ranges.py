"""What calibration measured, and its file."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert.tools", reason="needs the extra `convert`")

from graphs import RENAMES, Drawing, convolution, perturbed

from edgeseg.converter.quantization.differences import differences
from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.converter.quantization.origin import Origin, structure_digest
from edgeseg.converter.quantization.packing import text_of
from edgeseg.converter.quantization.quantize import Quantization
from edgeseg.converter.quantization.ranges import measure
from edgeseg.converter.quantization.ranges_file import (
    SavedRanges,
    save_ranges,
)
from edgeseg.converter.quantization.refine import rows_at
from edgeseg.converter.quantization.rounding import nearest_steps
from edgeseg.converter.recipes import load_recipe
from edgeseg.devices import ConversionError, InputError, RangesError

SIZE = (1, 12, 12, 3)
MANIFEST = {"pictures": ["a.jpg", "b.jpg"], "seed": 0}
OPTIONS = {"--size": [12, 12], "--head": "logits", "--resize": "half-pixel"}
OPTIONS["--arch"] = None
ORIGIN = Origin("0123abcd", OPTIONS, {"tensorflow": "2.21.0", "processor": "x86_64"})


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
    return measure(content, pictures(), origin=ORIGIN, calibration=MANIFEST)


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
    again = measure(content, pictures(), origin=ORIGIN, calibration=MANIFEST)
    assert save_ranges(again, flat) == save_ranges(ranges, flat)


def test_progress_counts_pictures(content):
    seen = []
    measure(content, pictures(3), progress=seen.append)
    assert seen == [1, 2, 3]


def test_loaded_ranges_are_the_saved_ones(ranges, flat, file):
    loaded = SavedRanges(file).ranges(flat, ORIGIN)
    assert save_ranges(loaded, flat) == file.read_bytes()
    for name in ("origin", "extremes", "central", "calibration"):
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
        for one in (ranges, SavedRanges(file).ranges(flat, ORIGIN))
    ]
    assert made[0] == made[1]


@pytest.mark.parametrize("rename", RENAMES)
def test_last_bits_and_names_do_not_matter(rename, content, flat, ranges, file):
    pytest.importorskip("ai_edge_quantizer", reason="needs the extra `convert`")
    elsewhere = perturbed(content, rename=RENAMES[rename])
    assert elsewhere != content
    other = FlatModel(elsewhere)
    loaded = SavedRanges(file).ranges(other, ORIGIN)
    assert list(loaded.central.values()) == [
        ranges.central[flat.name(i)] for i in activations(flat)
    ]
    assert list(loaded.central) == [other.name(i) for i in activations(other)]
    for place, weights in ranges.rounded.items():
        np.testing.assert_array_equal(loaded.rounded[place].steps, weights.steps)
        np.testing.assert_array_equal(loaded.rounded[place].scales, weights.scales)
    recipe = load_recipe("int8")
    made = Quantization(content, recipe, ranges).make()
    again = Quantization(elsewhere, recipe, loaded).make()
    found = differences(made, again)
    assert found is not None
    assert (found.weights, found.steps) == (0, 0)


def activations(flat):
    written = [int(t) for o in flat.graph.operators for t in o.outputs]
    return [int(flat.graph.inputs[0]), *written]


def test_ranges_of_another_model_are_refused(flat, file):
    other = Origin("4567", OPTIONS)
    with pytest.raises(RangesError, match=r"another model.*calibrate again"):
        SavedRanges(file).ranges(flat, other)


def test_ranges_of_other_options_say_which(flat, file):
    other = Origin(ORIGIN.weights, {**OPTIONS, "--resize": "legacy"})
    with pytest.raises(RangesError, match=r"--resize half-pixel there, legacy here"):
        SavedRanges(file).ranges(flat, other)


def test_another_head_is_another_option_where_the_graph_differs(flat, file):
    other = Origin(ORIGIN.weights, {**OPTIONS, "--head": "labels"})
    assert SavedRanges(file).ranges(flat, other).origin == ORIGIN
    with pytest.raises(RangesError, match=r"--head logits there, labels here"):
        SavedRanges(file).ranges(FlatModel(network(depthwise=False)), other)


def test_what_the_file_itself_says_is_no_other_option(flat, file):
    named = Origin(ORIGIN.weights, {**OPTIONS, "--arch": "deeplabv3-mobilenetv2"})
    assert SavedRanges(file).ranges(flat, named).origin == ORIGIN


@pytest.mark.parametrize(
    "other",
    [network(depthwise=False), perturbed(network(), ulp=1 << 16)],
    ids=["other operators", "other weights"],
)
def test_ranges_of_the_same_model_lowered_differently(other, flat, file):
    here = Origin(ORIGIN.weights, OPTIONS, {**ORIGIN.made_with, "tensorflow": "2.99"})
    with pytest.raises(
        RangesError,
        match=r"same model, lowered .*tensorflow 2\.21\.0 there, 2\.99 here",
    ):
        SavedRanges(file).ranges(FlatModel(other), here)


def test_versions_are_a_note_and_no_reason_to_refuse(flat, ranges, file):
    elsewhere = Origin(ORIGIN.weights, OPTIONS, {"tensorflow": "9", "processor": "?"})
    assert (
        SavedRanges(file).ranges(flat, elsewhere).origin.made_with == ORIGIN.made_with
    )


def test_the_structure_knows_no_names_and_no_values(content, flat):
    other = FlatModel(perturbed(content, ulp=1 << 20, rename=lambda name: name[::-1]))
    assert structure_digest(other) == structure_digest(flat)
    fewer = FlatModel(network(depthwise=False))
    assert structure_digest(fewer) != structure_digest(flat)


def version_1(ranges, flat):
    """Write ranges as the first format had them."""
    return {
        "version": 1,
        "graph": "a SHA-256 that only one processor gives",
        "extremes": ranges.extremes,
        "central": ranges.central,
        "weights": {
            str(place): {
                "scales": text_of(weights.scales),
                "correction": text_of(weights.correction),
                "moved": text_of(
                    (
                        weights.steps
                        - nearest_steps(rows_at(flat, place), weights.scales)
                    ).astype(np.int8)
                ),
            }
            for place, weights in ranges.rounded.items()
        },
        "calibration": ranges.calibration,
    }


@pytest.fixture
def old_file(ranges, flat, tmp_path):
    path = tmp_path / "version-1.json"
    path.write_text(json.dumps(version_1(ranges, flat), sort_keys=True))
    return path


@pytest.mark.parametrize("rename", ["other tails", "same names"])
def test_version_1_is_read_where_it_fits(rename, content, ranges, old_file):
    elsewhere = FlatModel(perturbed(content, rename=RENAMES[rename]))
    assert SavedRanges(old_file).version == 1
    loaded = SavedRanges(old_file).ranges(elsewhere, ORIGIN)
    assert sorted(loaded.central.values()) == sorted(ranges.central.values())
    for place, weights in ranges.rounded.items():
        moved = loaded.rounded[place].steps != weights.steps
        assert (
            moved.mean() < 0.01
        )  # of a weight between two steps, the last bit decides


@pytest.mark.parametrize(
    "other", [network(seed=1), perturbed(network(), rename=RENAMES["other names"])]
)
def test_version_1_of_another_model_is_refused(other, old_file):
    with pytest.raises(RangesError, match=r"another model.*version 1"):
        SavedRanges(old_file).ranges(FlatModel(other), ORIGIN)


def change(key, value):
    def apply(stored):
        stored[key] = value

    return apply


def change_weights(key, edit):
    def apply(stored):
        stored["weights"]["0"][key] = edit(stored["weights"]["0"][key])

    return apply


def change_range(value):
    def apply(stored):
        stored["activations"]["input 0"]["central"] = value

    return apply


DAMAGES = {
    "version": change("version", 99),
    "version in words": change("version", "two"),
    "no activations": lambda stored: stored.pop("activations"),
    "no weights": lambda stored: stored.pop("weights"),
    "one end only": change_range([1.0]),
    "an end in words": change_range(["low", "high"]),
    "ends that are no numbers": change_range([float("nan"), 1.0]),
    "ends in the wrong order": change_range([2.0, 1.0]),
    "an operator too many": lambda s: s["activations"].update(
        {"operator 77 output 0": s["activations"]["input 0"]}
    ),
    "activations in a list": change("activations", [1, 2]),
    "no such operator": lambda s: s["weights"].update({"77": s["weights"]["0"]}),
    "a place before the first": lambda s: s["weights"].update(
        {"-1": s["weights"]["0"]}
    ),
    "a place in words": lambda s: s["weights"].update({"x": s["weights"]["0"]}),
    "no convolution": lambda s: s["weights"].update({"1": s["weights"]["0"]}),
    "weights in a list": change("weights", [1, 2]),
    "cut base64": change_weights("steps", lambda text: text[:-3]),
    "no base64": change_weights("steps", lambda text: "?" + text[1:]),
    "no zlib": change_weights("steps", lambda text: "AAAA" + text[4:]),
    "scales of another layer": change_weights("scales", lambda text: "eJwDAAAAAAE="),
    "scales of zero": change_weights(
        "scales", lambda text: text_of(np.zeros(8, np.float32))
    ),
    "a bomb": change_weights("steps", lambda text: text_of(np.zeros(1 << 20, np.int8))),
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
        SavedRanges(file).ranges(flat, ORIGIN)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"3", b"null", b"\xff\xfe", b'"x"', b"[" * 100_000]
)
def test_what_is_no_ranges_file_is_refused(text, flat, tmp_path):
    path = tmp_path / "ranges.json"
    path.write_bytes(text)
    for read in (
        lambda: SavedRanges(path).ranges(flat, ORIGIN),
        lambda: SavedRanges(path).version,
    ):
        with pytest.raises(InputError, match="holds no calibration ranges"):
            read()


def test_a_missing_file_is_named(flat, tmp_path):
    with pytest.raises(InputError, match=r"cannot read ranges .*missing\.json"):
        SavedRanges(tmp_path / "missing.json").ranges(flat, ORIGIN)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(value, content):
    tensors = pictures(2)
    tensors[1][0, 0, 0, 0] = value
    with pytest.raises(ConversionError, match="not finite in"):
        measure(content, tensors)
