"""The study of trained networks, with few pictures and steps."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("tensorflow", reason="needs the extra `convert`")
pytest.importorskip("ai_edge_quantizer", reason="needs the extra `convert`")

from edgeseg.benchmarks.studies.architectures import trained

pytestmark = pytest.mark.long  # trains and converts a network

NAME = "unet_narrow"


@pytest.fixture
def discs(tmp_path):
    """Return forty-five pictures of a disc on noise, in the plain layout."""
    root = tmp_path / "discs"
    (root / "images").mkdir(parents=True)
    (root / "masks").mkdir()
    (root / "labels.txt").write_text("background\ndisc\n")
    rng = np.random.default_rng(0)
    for index in range(45):
        mask = np.zeros((64, 64), np.uint8)
        cv2.circle(mask, tuple(rng.integers(16, 48, 2).tolist()), 12, 1, -1)
        noise = rng.normal(90, 25, (64, 64, 3)) + 80 * mask[..., None]
        photo = cv2.GaussianBlur(noise.clip(0, 255).astype(np.uint8), (0, 0), 1.5)
        cv2.imwrite(str(root / "images" / f"p{index:02}.png"), photo)
        cv2.imwrite(str(root / "masks" / f"p{index:02}.png"), mask)
    return root


def test_a_network_is_trained_converted_and_scored(discs, tmp_path):
    folder, record = tmp_path / "work", tmp_path / "record.json"
    call = [str(discs), str(folder), str(record), NAME, "--size", "64", "--epochs", "1"]
    done = CliRunner().invoke(trained.main, call, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    row = json.loads(record.read_text())["networks"][NAME]
    assert row["training"]["steps"] == 36 // 8
    int8 = row["int8"]
    assert int8["pictures"] == 9
    assert int8["float_parity"] > 0.999
    drop = int8["float_miou"] - int8["miou"]
    assert int8["drop"]["difference"] == pytest.approx(drop, abs=1e-6)
    advised = {"int8-mixed", "budget"} & set(row)
    assert advised == ({"int8-mixed", "budget"} if int8["warning"] else set())


def test_the_last_fifth_is_held_out_and_not_calibrated_with(discs, tmp_path):
    data = trained.lay_out(discs, tmp_path / "data")
    held = (data / "val.txt").read_text().split()
    assert held == [f"p{index}" for index in range(36, 45)]
    calibration = {path.stem for path in (data / "calibration").iterdir()}
    assert calibration == set((data / "train.txt").read_text().split())
    assert not calibration & set(held)
