"""Every score against a count by brute force that shares no code with the package."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from PIL import Image
from scenes import draw_dataset

from edgeseg.devices import InputError
from edgeseg.runtime import Overrides, Segmenter
from edgeseg.runtime.accuracy.counters import nearest
from edgeseg.runtime.accuracy.counts import Counts, total
from edgeseg.runtime.accuracy.evaluation import evaluate, evaluate_pair
from edgeseg.runtime.accuracy.open import open_dataset

PICTURES = 3
CLASSES = 4


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return open_dataset(draw_dataset(tmp_path_factory.mktemp("drawn"), PICTURES), "val")


@pytest.fixture(scope="module")
def darker(golden_model):
    """The shipped model fed wrongly: another model with the same classes."""
    overrides = Overrides(normalize=(100.0, 127.5))
    with Segmenter.open(golden_model, overrides=overrides) as segmenter:
        yield segmenter


@pytest.fixture(scope="module")
def segmenter(golden_model):
    with Segmenter.open(golden_model) as opened:
        yield opened


@pytest.fixture(scope="module")
def measured(segmenter, darker, dataset):
    maps = {name: darker.segment(picture(dataset, name)).ids for name in dataset.ids}
    kept = {}
    result = evaluate(
        segmenter,
        dataset,
        detailed=True,
        reference=maps.get,
        keep=kept.__setitem__,
    )
    return result, maps, kept


def picture(dataset, name):
    return np.array(Image.open(dataset.picture_path(name)).convert("RGB"))


def mask(dataset, name):
    return np.array(Image.open(dataset.truth_path(name)))


def counted(truth, ids):
    """Count pixel by pixel."""
    matrix = np.zeros((CLASSES, CLASSES), np.int64)
    for true, predicted in zip(truth.ravel(), ids.ravel(), strict=True):
        if true != 255:
            matrix[true, predicted] += 1
    return matrix


def test_own_size_counts_are_exact(measured, dataset, segmenter):
    result, _, kept = measured
    for counts in result.pictures:
        ids = segmenter.segment(picture(dataset, counts.name)).ids
        np.testing.assert_array_equal(kept[counts.name], ids)
        expected = counted(mask(dataset, counts.name), ids)
        np.testing.assert_array_equal(total([counts.own], CLASSES), expected)


def test_network_size_counts_are_exact(measured, dataset, segmenter):
    result, _, _ = measured
    height, width = segmenter.input_hw  # the grid has a cell for each of its pixels
    assert result.network_hw == (height, width)
    for counts in result.pictures:
        frame, truth = picture(dataset, counts.name), mask(dataset, counts.name)
        output = segmenter.device.infer(segmenter.tensor(frame))[0]
        rows = round(frame.shape[0] * width / frame.shape[1])  # 160x120: letterboxed
        small = np.zeros((rows, width), np.uint8)
        for i, j in itertools.product(range(rows), range(width)):
            small[i, j] = truth[
                math.floor((i + 0.5) * truth.shape[0] / rows),
                math.floor((j + 0.5) * truth.shape[1] / width),
            ]
        expected = counted(small, output[0, :rows].argmax(axis=-1))
        np.testing.assert_array_equal(total([counts.network], CLASSES), expected)


def near_edge(inside, reach):
    """Return where a mask's pixel has a pixel outside it in its square."""
    padded = np.pad(inside, reach)
    edge = np.zeros_like(inside)
    for i, j in zip(*np.nonzero(inside), strict=True):
        edge[i, j] = not padded[i : i + 2 * reach + 1, j : j + 2 * reach + 1].all()
    return edge


def test_boundary_iou_follows_its_definition(measured, dataset):
    result, _, kept = measured
    both, either = np.zeros(CLASSES), np.zeros(CLASSES)
    for name in dataset.ids:
        truth, ids = mask(dataset, name), kept[name]
        reach = round(0.02 * math.hypot(*truth.shape))
        for k in range(CLASSES):
            true = near_edge(truth == k, reach)
            predicted = near_edge((ids == k) & (truth != 255), reach)
            both[k] += (true & predicted).sum()
            either[k] += (true | predicted).sum()
    got = list(result.per_class_boundary_iou.values())
    np.testing.assert_allclose(got, both / either, rtol=1e-12)
    np.testing.assert_allclose(result.boundary_iou, (both / either).mean(), rtol=1e-12)


def test_details_change_no_score_at_the_own_size(measured, dataset, segmenter):
    plain = evaluate(segmenter, dataset)
    assert measured[0].own == plain.own
    assert {counts.network for counts in plain.pictures} == {()}


def test_flips_are_exact(measured):
    result, maps, kept = measured
    expected = np.zeros((256, 256), np.int64)
    for name, theirs in maps.items():
        for pair in zip(theirs.ravel(), kept[name].ravel(), strict=True):
            expected[pair] += 1
    np.testing.assert_array_equal(result.flips.matrix, expected)
    told = result.flips.to_dict()["flips"]
    np.testing.assert_array_equal(told["pixels"], expected[:4, :4])
    assert told["classes"] == list(result.labels)
    shares = {name: (maps[name] == kept[name]).mean() for name in maps}
    worst = min(shares, key=shares.get)
    assert result.flips.worst(1) == ((worst, pytest.approx(shares[worst], rel=1e-12)),)
    assert 0.5 < result.flips.agreement < 1


def test_against_a_reference_is_as_both_models_at_once(
    measured, dataset, segmenter, darker
):
    pair = evaluate_pair(darker, segmenter, dataset)
    assert measured[0].against().to_dict() == pair.to_dict()


def test_without_a_reference_there_is_nothing_against(segmenter, dataset):
    result = evaluate(segmenter, dataset, names=dataset.ids[:1])
    assert [counts.name for counts in result.pictures] == [dataset.ids[0]]
    with pytest.raises(InputError, match="beside a reference"):
        result.against()


def test_counts_survive_json(measured):
    for counts in measured[0].pictures:
        assert Counts.from_dict(counts.to_dict()) == counts


@pytest.mark.parametrize(
    "values",
    [
        [],
        {},
        "row",
        {"name": "a", "own": [1]},
        {"name": "a", "own": [[1, 2]]},
        *(
            {"name": "a", "own": [[0, 1, number]]}
            for number in (float("inf"), float("nan"), 1.5, -1, True, 2**70, "3")
        ),
        {"name": "a", "own": [[1e400, 0, 1]]},
    ],
)
def test_counts_of_another_form_are_refused(values):
    with pytest.raises(InputError, match="counts of a picture"):
        Counts.from_dict(values)


def test_counts_outside_the_classes_are_refused():
    with pytest.raises(InputError, match="below 2"):
        total([((0, 2, 1),)], 2)


def test_nearest_keeps_a_map_of_the_same_size():
    ids = np.arange(12, dtype=np.uint8).reshape(3, 4)
    np.testing.assert_array_equal(nearest(ids, (3, 4)), ids)
    np.testing.assert_array_equal(nearest(ids, (6, 8))[::2, ::2], ids)
