"""Batches: the same for the same seed, wherever a run goes on; teachers asked."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from edgeseg.converter.training.data.batches import Batches, Targets
from edgeseg.converter.training.data.splits import open_splits
from edgeseg.converter.training.teacher import Teacher
from edgeseg.devices import InputError
from edgeseg.runtime import Segmenter
from edgeseg.runtime.pictures.files import read_picture
from edgeseg.runtime.sources.synthetic import LABELS, SyntheticSource

ONES = np.ones(4, np.float32)


@pytest.fixture(scope="module")
def train(drawn):
    return open_splits(
        drawn,
        split="train",
        val_root=None,
        val_split="val",
        labels=None,
        classes=None,
        limit=20,
        val_limit=None,
    )[0]


@pytest.fixture
def teacher(golden_model):
    with Teacher.open(golden_model, LABELS, None) as opened:
        yield opened


def batches(train, lessons=None, **options):
    options = {"batch": 6, "seed": 1} | options
    return Batches(train, lessons or Targets(ONES), (65, 65), **options)


def test_a_stream_goes_on_where_it_was_left(train):
    stream = batches(train)
    assert stream.steps == 3
    whole = list(itertools.islice(stream.stream(0), 5))
    rest = list(itertools.islice(batches(train, workers=3).stream(2), 3))
    for (images, targets), (same, too) in zip(whole[2:], rest, strict=True):
        np.testing.assert_array_equal(images, same)
        np.testing.assert_array_equal(targets, too)
    assert np.abs(whole[0][0] - whole[3][0]).max() > 0  # another epoch


def test_form_of_a_batch(train):
    images, targets = batches(train).make(0)
    assert images.shape == (6, 65, 65, 3)
    assert images.dtype == targets.dtype == np.float32
    assert images.min() >= -1
    assert images.max() <= 1
    assert targets.shape == (6, 65, 65, 5)
    known = targets[..., 4] > 0
    np.testing.assert_array_equal(targets[..., :4].sum(-1), known)


def test_a_picture_that_goes_missing_ends_the_stream(drawn, train, monkeypatch):
    monkeypatch.setattr(train, "picture", lambda _: read_picture(drawn / "gone.jpg"))
    with pytest.raises(InputError, match=r"gone\.jpg"):
        next(batches(train).stream(0))


def test_a_teacher_answers_like_its_segmenter(golden_model, teacher):
    frame = SyntheticSource("129x129,still,seed=8").scene(0)[0]
    shares = teacher.probabilities(frame)
    assert shares.shape == (129, 129, 4)
    np.testing.assert_allclose(shares.sum(-1), 1, atol=1e-4)
    with Segmenter.open(golden_model) as segmenter:
        ids = segmenter.segment(frame).ids
    assert (shares.argmax(-1) == ids).mean() > 0.98


def test_what_a_teacher_knows_beyond_counts_as_background(golden_model, teacher):
    frame = SyntheticSource("100x70,still,seed=8").scene(1)[0]
    whole = teacher.probabilities(frame)
    with Teacher.open(golden_model, ("background", "square"), None) as fewer:
        merged = fewer.probabilities(frame)
    np.testing.assert_allclose(merged[..., 1], whole[..., 2], atol=1e-5)
    np.testing.assert_allclose(merged[..., 0], 1 - whole[..., 2], atol=1e-4)


def test_a_teacher_that_lacks_a_class_is_refused(golden_model):
    with pytest.raises(InputError, match="does not know hexagon"):
        Teacher.open(golden_model, (*LABELS, "hexagon"), None)


def test_rough_masks_count_for_less(train, teacher):
    plain = batches(train).make(0)[1]
    rough = frozenset(train.ids)
    lessons = Targets(ONES, teacher, 0.0, rough, 1.0)
    taught = batches(train, lessons).make(0)[1]
    assert np.abs(taught[..., :4] - plain[..., :4]).max() > 0.5
    unheard = batches(train, Targets(ONES, teacher, 0.0)).make(0)[1]
    known = plain[..., 4] > 0
    np.testing.assert_array_equal(unheard[known], plain[known])
