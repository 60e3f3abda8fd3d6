"""A teacher asked beforehand: the mean of its answers, made once, of that teacher."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

from edgeseg.converter.conversion.keras_device import open_keras
from edgeseg.converter.loading.format import Loading
from edgeseg.converter.training.asking import ask
from edgeseg.converter.training.finetune import finetune
from edgeseg.converter.training.settings import Pictures, Settings, Teaching
from edgeseg.converter.training.soft_answers import grid_hw, read_answer
from edgeseg.converter.training.teacher import answer_on
from edgeseg.devices import InputError
from edgeseg.runtime import Overrides
from edgeseg.runtime.accuracy.open import open_dataset

pytestmark = pytest.mark.long  # runs Keras networks
SIZES = (97, 129)


@pytest.fixture(scope="module")
def few(draw, tmp_path_factory):
    return draw(tmp_path_factory.mktemp("few"), 12)


def test_the_mean_over_sizes_and_mirrors_is_kept(few, shapes_keras, tmp_path):
    names, dataset = str(few / "labels.txt"), open_dataset(few, "train")
    lines = []
    ask(shapes_keras, dataset, tmp_path, SIZES, labels=names, report=lines.append)
    assert lines == ["asking the teacher: 12 pictures left"]
    frame = dataset.picture(dataset.ids[0])
    total = 0
    for size in SIZES:
        loading = Loading(size=(size, size))
        with open_keras(shapes_keras, Overrides(labels=names), loading) as one:
            grid = grid_hw(frame.shape[:2])
            total = total + answer_on(one, frame, grid)
            turned = np.ascontiguousarray(frame[:, ::-1])
            total = total + answer_on(one, turned, grid)[:, ::-1]
    got = read_answer(tmp_path / f"{dataset.ids[0]}.npz")
    np.testing.assert_allclose(got, total / 4, atol=0.01)

    (tmp_path / f"{dataset.ids[5]}.npz").unlink()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.npz")}
    ask(shapes_keras, dataset, tmp_path, SIZES, labels=names, report=lines.append)
    assert lines[1:] == ["asking the teacher: 1 pictures left"]
    assert before == {path: path.stat().st_mtime_ns for path in before}

    with pytest.raises(InputError, match=r"another teacher \(sizes differ\)"):
        ask(shapes_keras, dataset, tmp_path, (97,), labels=names, report=print)
    (tmp_path / "answers.json").unlink()
    with pytest.raises(InputError, match="do not say what made them"):
        ask(shapes_keras, dataset, tmp_path, SIZES, labels=names, report=print)


def test_a_training_asks_and_learns(few, shapes_keras, tmp_path):
    """Judged by two classes on pictures that were held out by name."""
    held = tmp_path / "held.txt"
    held.write_text("scene_002\nscene_007\n")
    labels = tuple((few / "labels.txt").read_text().split())
    teaching = Teaching(shapes_keras, labels=str(few / "labels.txt"), sizes=SIZES)
    settings = Settings(
        str(shapes_keras),
        Pictures(few, held=held),
        start_labels=str(few / "labels.txt"),
        teaching=teaching,
        epochs=1,
        batch=5,
        zoom=1.5,
        loss_every=4,
        judged=labels[:2],
    )
    result = finetune(settings, tmp_path / "out")
    assert result.steps == 2
    told = json.loads((tmp_path / "out" / "log.json").read_text())
    assert told["train"]["pictures"] == 10
    assert told["validation"]["pictures"] == 2
    assert len(told["teacher_sha256"]) == 64
    assert len(list((tmp_path / "out" / "teacher").glob("*.npz"))) == 10
    judged = {k: v for k, v in result.rows[0]["val_iou"].items() if v is not None}
    assert set(judged) == set(labels[:2])
    folder = Settings(
        str(shapes_keras),
        Pictures(few, held=held),
        start_labels=str(few / "labels.txt"),
        teaching=Teaching(tmp_path / "out" / "teacher"),
        epochs=1,
        batch=5,
    )
    assert finetune(folder, tmp_path / "again").steps == 2


def test_sizes_without_a_teacher_are_refused(few, tmp_path):
    settings = Settings("none", Pictures(few), teaching=Teaching(sizes=SIZES))
    with pytest.raises(InputError, match="--teacher-sizes needs --teacher"):
        finetune(settings, tmp_path)


def test_a_list_of_unknown_pictures_is_refused(few, tmp_path):
    held = tmp_path / "held.txt"
    held.write_text("scene_002\nnobody\n")
    settings = Settings("none", Pictures(few, held=held))
    with pytest.raises(InputError, match=r"1 pictures .* such as nobody"):
        finetune(settings, tmp_path)
