"""Answers of a teacher kept in a folder: they follow the view of a picture."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from edgeseg.converter.training.data.augmentation import View, random_view, take_view
from edgeseg.converter.training.data.batches import Batches, Targets
from edgeseg.converter.training.data.splits import open_splits
from edgeseg.converter.training.soft_answers import (
    SoftAnswers,
    grid_hw,
    read_answer,
    write_answer,
)
from edgeseg.devices import InputError
from edgeseg.runtime.sources.synthetic import LABELS, SyntheticSource

CANVAS = (65, 65)


def split(root, **options):
    given = {"split": "train", "val_root": None, "val_split": "val", "labels": None}
    more = {"classes": None, "limit": None, "val_limit": None}
    return open_splits(root, **(given | more | options))


def shares_of(ids, classes):
    """What a teacher that is nearly sure would say on the grid of a picture."""
    height, width = grid_hw(ids.shape)
    each = [
        cv2.resize(
            (ids == one).astype(np.float32),
            (width, height),
            interpolation=cv2.INTER_AREA,
        )
        for one in range(classes)
    ]
    return np.stack(each, -1)


@pytest.fixture(scope="module")
def kept(drawn, tmp_path_factory):
    """The truth of the drawn pictures as a teacher's answers."""
    folder = tmp_path_factory.mktemp("answers")
    train = split(drawn)[0]
    for name in train.ids:
        shares = shares_of(train.truth(name), len(LABELS))
        write_answer(folder / f"{name}.npz", shares)
    (folder / "answers.json").write_text(json.dumps({"labels": list(LABELS)}))
    return folder


def test_what_is_written_is_read(tmp_path):
    rng = np.random.default_rng(2)
    shares = rng.dirichlet(np.full(21, 0.1), (9, 13)).astype(np.float32)
    write_answer(tmp_path / "a.npz", shares)
    got = read_answer(tmp_path / "a.npz")
    np.testing.assert_allclose(got, shares, atol=0.006)
    np.testing.assert_allclose(got.sum(-1), 1, atol=1e-6)
    # a share of a thousandth is not lost
    assert np.abs(got - shares)[shares < 1e-3].max() < 2e-4


@pytest.mark.parametrize("seed", range(6))
def test_answers_follow_the_view(seed, tmp_path):
    """Against the truth of the same view, away from edges that a cell cannot show."""
    frame, ids = SyntheticSource(f"160x120,still,seed={seed}").scene(0)
    write_answer(tmp_path / "a.npz", shares_of(ids, len(LABELS)))
    rng = np.random.default_rng(seed)
    view = random_view(rng, ids.shape, CANVAS, 2.0)
    shown, truth = take_view(frame, ids, view, CANVAS)
    teacher = SoftAnswers(tmp_path, LABELS, str(labels(tmp_path)))
    answer = teacher.answer("a", shown, view, ids.shape, 1)
    assert answer.shape == (*CANVAS, len(LABELS))
    np.testing.assert_array_equal(answer.sum(-1) > 0.5, truth != 255)
    sure = answer.max(-1) > 0.9
    assert sure.mean() > 0.1
    assert (answer.argmax(-1) == truth)[sure & (truth != 255)].mean() > 0.995


def labels(folder):
    path = folder / "names.txt"
    path.write_text("\n".join(LABELS) + "\n")
    return path


def test_one_in_four_is_a_part_of_all(kept, drawn):
    train = split(drawn)[0]
    teacher = SoftAnswers(kept, train.labels, None)
    teacher.check(train.ids)
    name, hw = train.ids[0], train.truth(train.ids[0]).shape
    view = View(0.9, (-3.0, 5.5), flip=True)
    shown, _ = take_view(train.picture(name), train.truth(name), view, CANVAS)
    whole = teacher.answer(name, shown, view, hw, 1)
    np.testing.assert_allclose(
        teacher.answer(name, shown, view, hw, 4), whole[::4, ::4], atol=1e-6
    )


def test_batches_take_them(kept, drawn):
    """A teacher that counts for all of it, and is right, changes edges alone."""
    train = split(drawn)[0]
    ones = np.ones(len(train.labels), np.float32)
    teacher = SoftAnswers(kept, train.labels, None)
    made = [
        Batches(train, Targets(ones, who, 1.0, every=4), CANVAS, batch=8, seed=3).make(
            0
        )
        for who in (teacher, None)
    ]
    (images, soft), (same, hard) = made
    np.testing.assert_array_equal(images, same)
    assert soft.shape == hard.shape == (8, 17, 17, len(train.labels) + 1)
    known = hard[..., -1] > 0
    assert (soft[..., :-1].argmax(-1) == hard[..., :-1].argmax(-1))[known].mean() > 0.93


def test_classes_beyond_count_as_background(kept):
    whole = SoftAnswers(kept, LABELS, None)
    fewer = SoftAnswers(kept, ("background", LABELS[2]), None)
    name, frame = "scene_003", np.zeros((64, 80, 3), np.uint8)
    all_of_them = whole.answer(name, frame, View(1.0), (64, 80), 1)
    merged = fewer.answer(name, frame, View(1.0), (64, 80), 1)
    np.testing.assert_allclose(merged[..., 1], all_of_them[..., 2], atol=1e-6)
    with pytest.raises(InputError, match="does not know hexagon"):
        SoftAnswers(kept, (*LABELS, "hexagon"), None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no answer"),
        (b"PK\x03\x04 and no more", "holds no answer"),
        (None, "is missing"),
    ],
)
def test_a_damaged_file_is_named(content, message, tmp_path):
    path = tmp_path / "a.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_answer(path)


def test_another_array_is_refused(tmp_path):
    with (tmp_path / "a.npz").open("wb") as file:
        np.savez(file, q=np.zeros((3, 3), np.float32))
    with pytest.raises(InputError, match=r"a\.npz holds no answer"):
        SoftAnswers(tmp_path, LABELS, None)


def test_a_folder_that_lacks_pictures_or_names_is_refused(kept, tmp_path):
    with pytest.raises(InputError, match="holds no answers"):
        SoftAnswers(tmp_path, LABELS, None)
    with pytest.raises(InputError, match="1 of 2 pictures, such as other"):
        SoftAnswers(kept, LABELS, None).check(["scene_001", "other"])
    write_answer(tmp_path / "a.npz", np.full((2, 2, 4), 0.25, np.float32))
    with pytest.raises(InputError, match="--teacher-labels"):
        SoftAnswers(tmp_path, LABELS, None)


def test_a_digest_knows_what_is_there(kept, tmp_path):
    first = SoftAnswers(kept, LABELS, None).digest()
    assert first == SoftAnswers(kept, LABELS[:1], None).digest()
    write_answer(tmp_path / "a.npz", np.full((2, 2, 4), 0.25, np.float32))
    assert SoftAnswers(tmp_path, LABELS, str(labels(tmp_path))).digest() != first
