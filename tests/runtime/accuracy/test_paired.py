from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from scenes import draw_dataset

from edgeseg.devices import InputError
from edgeseg.runtime import Segmenter
from edgeseg.runtime.accuracy.boundary import boundary_matrix
from edgeseg.runtime.accuracy.evaluation import evaluate, evaluate_pair, halves
from edgeseg.runtime.accuracy.matching import Matching
from edgeseg.runtime.accuracy.open import open_dataset
from edgeseg.runtime.accuracy.scores import agreement, class_iou


class Blurred(Segmenter):
    """The golden model on a camera out of focus: a worse candidate."""

    def tensor(self, frame):
        import cv2

        return super().tensor(cv2.blur(frame, (9, 9)))

    def segment(self, frame):
        import cv2

        return super().segment(cv2.blur(frame, (9, 9)))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return open_dataset(draw_dataset(tmp_path_factory.mktemp("drawn"), 16), "val")


@pytest.fixture(scope="module")
def pair(dataset, golden_model):
    done = []
    with Segmenter.open(golden_model) as first, Blurred.open(golden_model) as second:
        result = evaluate_pair(
            first, second, dataset, progress=lambda *told: done.append(told)
        )
    assert done == [(i + 1, 16) for i in range(16)]
    return result


def test_each_side_has_the_scores_it_has_alone(pair, dataset, golden_model):
    for opened, scored, key in (
        (Segmenter, pair.reference, "reference_own"),
        (Blurred, pair.candidate, "own"),
    ):
        with opened.open(golden_model) as segmenter:
            alone = evaluate(segmenter, dataset)
        assert alone.own == scored
        counted = [getattr(picture, key) for picture in pair.pictures]
        assert [picture.own for picture in alone.pictures] == counted


def test_agreement_and_boundaries_are_those_of_the_pictures(
    pair, dataset, golden_model
):
    from edgeseg.runtime.pictures.files import read_picture

    whole, agreed = np.zeros((5, 5), np.int64), []
    with Segmenter.open(golden_model) as first, Blurred.open(golden_model) as second:
        for name in dataset.ids:
            frame = read_picture(dataset.picture_path(name))
            ids = [model.segment(frame).ids for model in (first, second)]
            agreed.append(agreement(*ids))
            whole += boundary_matrix(dataset.truth(name), ids[1], 4)
    np.testing.assert_allclose(pair.equal / pair.pixels, agreed)
    np.testing.assert_allclose(pair.agreement, np.mean(agreed))  # all of one size
    np.testing.assert_allclose(pair.boundary_iou[1], class_iou(whole)[:4].mean())
    assert pair.agreement < 1


def test_the_drop_is_that_of_the_scores_and_of_its_classes(pair):
    expected = pair.reference.miou - pair.candidate.miou
    np.testing.assert_allclose(pair.drop.difference, expected)
    assert 0 < pair.drop.low < expected < pair.drop.high
    rows = pair.per_class
    assert [row.label for row in rows] == list(pair.classes)
    for row in rows:
        np.testing.assert_allclose(row.difference, row.reference - row.candidate)
        assert row.low <= row.difference <= row.high
    np.testing.assert_allclose(np.mean([row.difference for row in rows]), expected)
    first, second = pair.boundary_iou
    np.testing.assert_allclose(pair.boundary_drop.difference, first - second)


def test_the_worst_pictures_lost_most_right_pixels(pair):
    reference, candidate = pair.by_class
    right = [each.right.sum(axis=1) / (160 * 119) for each in (reference, candidate)]
    # a row is void
    losses = dict(zip(pair.names, right[0] - right[1], strict=True))
    worst = pair.worst(5)
    assert len(worst) == 5
    got = [loss.loss for loss in worst]
    np.testing.assert_allclose(got, sorted(losses.values(), reverse=True)[:5])
    np.testing.assert_allclose([losses[loss.name] for loss in worst], got)
    assert len(pair.worst(99)) == 16


def test_a_model_against_itself_has_no_drop(dataset, golden_model):
    with Segmenter.open(golden_model) as segmenter:
        same = evaluate_pair(segmenter, segmenter, dataset, names=dataset.ids[:3])
    assert dataclasses.astuple(same.drop) == (0, 0, 0)
    assert same.agreement == 1
    assert [loss.loss for loss in same.worst()] == [0, 0, 0]


def test_some_pictures_some_classes(pair, dataset, golden_model):
    names = dataset.ids[3:9:2]
    classes = ("background", "disc")
    with Segmenter.open(golden_model) as first, Blurred.open(golden_model) as second:
        part, merged = (
            evaluate_pair(
                first, second, dataset, names=names, matching=Matching(classes, merge)
            )
            for merge in (False, True)
        )
    assert part.names == names
    for key in ("own", "reference_own", "flips"):
        got = [getattr(picture, key) for picture in part.pictures]
        assert got == [getattr(picture, key) for picture in pair.pictures[3:9:2]]
    assert part.classes == merged.classes == ("background", "disc")
    assert not any(counts.true[:, 2:].any() for counts in merged.by_class)
    assert merged.equal.tolist() == part.equal.tolist()


def test_the_record_survives_json(pair):
    told = json.loads(json.dumps(pair.to_dict(worst=2), allow_nan=False))
    assert told["images"] == 16
    assert told["result"]["miou"] == pair.candidate.miou
    row = {"label", "reference", "result", "difference", "low", "high"}
    assert all(set(entry) == row for entry in told["per_class"])
    assert [entry["name"] for entry in told["worst"]] == [
        loss.name for loss in pair.worst(2)
    ]


def test_a_class_without_truth_is_none_not_zero(pair):
    def without(rows):
        return tuple(row for row in rows if row[0] != 3)

    blank = tuple(
        dataclasses.replace(
            p, own=without(p.own), reference_own=without(p.reference_own)
        )
        for p in pair.pictures
    )
    row = dataclasses.replace(pair, pictures=blank).per_class[3]
    assert (row.reference, row.candidate, row.difference, row.low) == (None,) * 4


def test_a_picture_that_is_not_there_is_named(dataset, golden_model):
    with Segmenter.open(golden_model) as segmenter:
        with pytest.raises(InputError, match="got nowhere"):
            evaluate_pair(segmenter, segmenter, dataset, names=["scene1", "nowhere"])
        with pytest.raises(InputError, match="got none"):
            evaluate_pair(segmenter, segmenter, dataset, names=[])


def test_models_whose_ids_mean_other_classes_are_refused(dataset, golden_model):
    with Segmenter.open(golden_model) as first, Segmenter.open(golden_model) as second:
        turned = dataclasses.replace(
            second.manifest, labels=("background", "square", "disc", "triangle")
        )
        other = Segmenter(second.device, turned)
        with pytest.raises(InputError, match="the same classes in the same order"):
            evaluate_pair(first, other, dataset)


def test_halves_take_turns_and_leave_nothing_out():
    ids = [f"{i}" for i in range(7)]
    search, verify = halves(ids)
    assert search == ("0", "2", "4", "6")
    assert verify == ("1", "3", "5")
    assert halves(ids) == (search, verify)
