"""Real workers, edgeseg's own on the golden model, through race and judgement."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from edgeseg.benchmarks.studies.peers.agreement import (
    agreement,
    label_maps,
    seven_class_miou,
)
from edgeseg.benchmarks.studies.peers.race import race
from edgeseg.benchmarks.studies.peers.worker import Opened, PeerProcess
from edgeseg.devices import ModelError
from edgeseg.runtime import Segmenter
from edgeseg.runtime.accuracy.open import open_dataset


def start(model, folder, packages=("edgeseg",)):
    settings = {"model": str(model), "threads": 1, "packages": list(packages)}
    return PeerProcess(
        Path(sys.executable), "edgeseg_loop", settings, folder / "log.txt"
    )


@pytest.fixture
def pictures(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (2, 50, 70, 3), np.uint8)
    paths = [tmp_path / f"{index}.npy" for index in range(2)]
    for path, frame in zip(paths, noise, strict=True):
        np.save(path, frame)
    return paths


def test_everyone_has_a_turn_and_who_dies_is_told(golden_model, pictures, tmp_path):
    with start(golden_model, tmp_path) as first, start(golden_model, tmp_path) as dead:
        dead.close()
        references = {"golden": Opened(first, "golden", {})}
        peers = {
            "dead": Opened(dead, "golden", {}),
            "other": Opened(first, "another", {}),
            "same": Opened(first, "golden", {}),
        }
        said = []
        turns, failed = race(references, peers, pictures, 2, progress=said.append)
    assert [set(turn.peers) for turn in turns["golden"]] == [{"same"}] * 4
    assert list(failed) == ["dead"]
    assert said == ["round 1 of 2", "round 2 of 2"]
    for turn in turns["golden"]:
        for measured in (turn.before, turn.after, turn.peers["same"]):
            assert set(measured) == {"preprocess", "invoke", "postprocess", "total"}
            assert measured["total"] >= measured["invoke"] > 0


def test_label_maps_are_the_worker_s_own(golden_model, pictures, tmp_path):
    with start(golden_model, tmp_path) as worker:
        maps = label_maps(Opened(worker, "golden", {}), pictures)
    with Segmenter.open(golden_model) as segmenter:
        own = [segmenter.segment(np.load(picture)).ids for picture in pictures]
    for told, expected in zip(maps, own, strict=True):
        np.testing.assert_array_equal(told, expected)
    assert agreement(maps, own) == 1
    assert agreement(maps, [ids ^ 1 for ids in own]) == 0


def test_a_refused_model_is_one_line(tmp_path):
    bad = tmp_path / "bad.tflite"
    bad.write_bytes(b"no model")
    with pytest.raises(ModelError) as caught:
        start(bad, tmp_path)
    assert "ModelError" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_bad_picture_leaves_the_worker_alive(golden_model, pictures, tmp_path):
    with start(golden_model, tmp_path) as worker:
        with pytest.raises(ModelError, match="FileNotFoundError"):
            worker.times(tmp_path / "missing.npy", warm=0, repeat=1)
        assert len(worker.times(pictures[0], warm=0, repeat=3)) == 3


def test_a_worker_that_dies_leaves_its_last_words(golden_model, tmp_path):
    with pytest.raises(ModelError, match=r"its process ended: .*no-such-package"):
        start(golden_model, tmp_path, packages=("no-such-package",))


def test_truth_itself_scores_one_and_background_alone_does_not(voc):
    dataset = open_dataset(voc / "val", "val")
    names = dataset.ids[:6]
    truth = [np.where(ids == 255, 0, ids) for ids in map(dataset.truth, names)]
    assert seven_class_miou(truth, dataset, names) == 1
    blank = [np.zeros_like(ids) for ids in truth]
    assert seven_class_miou(blank, dataset, names) < 0.5
