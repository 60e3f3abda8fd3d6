from __future__ import annotations

import json

import numpy as np
import pytest

from edgeseg.benchmarks.studies.speed import stages
from edgeseg.benchmarks.studies.speed import stages as stage_times
from edgeseg.benchmarks.studies.speed.stages import (
    VOC_HW,
    StageCase,
    measure,
    model_of,
    photos_of,
    summary,
)
from edgeseg.runtime import Segmenter
from edgeseg.runtime.pictures.files import write_picture

STAGES = {"preprocess", "invoke", "postprocess", "wall"}
PLAIN = {"plain_preprocess", "plain_postprocess"}


@pytest.fixture
def frames():
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (60, 80, 3), dtype=np.uint8) for _ in range(3)]


@pytest.fixture
def photos(tmp_path, frames):
    """A tree as the developers' folder has it, with two usable photos."""
    folder = tmp_path / "data/voc-animals/val/JPEGImages"
    folder.mkdir(parents=True)
    for number, size in enumerate([VOC_HW, VOC_HW[::-1], VOC_HW]):
        picture = np.full((*size, 3), 40 * number, np.uint8)
        write_picture(folder / f"{number}.jpg", picture)
    return folder


def test_every_stage_is_timed_for_every_frame_and_round(golden_model, frames):
    with Segmenter.open(golden_model) as segmenter:
        spent = measure(segmenter, frames, rounds=2)
    assert set(spent) == STAGES | PLAIN
    assert {len(values) for values in spent.values()} == {6}
    parts = sum(np.array(spent[s]) for s in ("preprocess", "invoke", "postprocess"))
    assert (parts <= np.array(spent["wall"])).all()


def test_other_class_ids_end_the_measurement(golden_model, frames, monkeypatch):
    def wrong(*_):
        return np.full((60, 80), 255, np.uint8)

    monkeypatch.setattr(stage_times, "plain_class_ids", wrong)
    with (
        Segmenter.open(golden_model) as segmenter,
        pytest.raises(ValueError, match="other class ids"),
    ):
        measure(segmenter, frames, rounds=1)


def test_ratios_are_taken_frame_by_frame():
    result = summary(
        {
            "preprocess": [1.0, 1.0, 2.0],
            "postprocess": [1.0, 3.0, 2.0],
            "invoke": [20.0, 10.0, 40.0],
            "wall": [22.0, 28.0, 44.0],
            "plain_preprocess": [2.0, 4.0, 8.0],
            "plain_postprocess": [2.0, 4.0, 12.0],
        }
    )
    assert result["share"] == {"median": 0.1, "quartiles": [0.1, 0.25]}
    assert result["plain_share"]["median"] == 0.5
    assert result["gain"] == {"median": 2.0, "quartiles": [2.0, 3.5]}
    assert result["of_wall"] == {"median": 1.0, "quartiles": [0.75, 1.0]}
    assert result["ms"]["invoke"]["median"] == 20
    assert result["queries"] == 3


def test_landscape_photos_are_scaled(photos):
    frames = photos_of(photos, (72, 128))
    assert [frame.shape for frame in frames] == [(72, 128, 3)] * 2
    np.testing.assert_allclose([frame.mean() for frame in frames], [0, 80], atol=2)


def test_a_converted_model_is_taken_from_its_folder(tmp_path):
    (tmp_path / "network.tflite").touch()
    case = StageCase("keras/network.h5", VOC_HW)
    assert model_of(case, tmp_path, tmp_path) == tmp_path / "network.tflite"


def test_the_record_holds_every_case(golden_model, photos, tmp_path, monkeypatch):
    shared = tmp_path
    (shared / "models").symlink_to(golden_model.parent)
    cases = {"tiny": StageCase(golden_model.name, (72, 128))}
    monkeypatch.setattr(stages, "CASES", cases)
    target = tmp_path / "record.json"
    stages.main([str(shared), str(target), "--note", "nothing else ran"])
    record = json.loads(target.read_text())
    assert record["note"] == "nothing else ran"
    assert record["threads"] == 2
    tiny = record["cases"]["tiny"]
    assert tiny["queries"] == 2 * stage_times.ROUNDS
    assert tiny["frame_hw"] == [72, 128]
    assert set(tiny["ms"]) == STAGES | PLAIN
