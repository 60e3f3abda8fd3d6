"""What the README's first command does, with nothing but the package."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

from edgeseg.converter.demo import run_demo
from edgeseg.runtime import Segmenter, open_source


def test_the_demo_converts_scores_and_films(tmp_path):
    steps = []
    told = run_demo(tmp_path / "demo", progress=steps.append)
    float_miou, int8_miou = map(float, re.findall(r"(?:float|int8) ([\d.]+) %", told))
    assert min(float_miou, int8_miou) > 85
    assert "33 int8" in told
    assert len(steps) > 5
    with Segmenter.open(tmp_path / "demo" / "shapes.tflite") as segmenter:
        assert segmenter.manifest.labels[3] == "triangle"
    with open_source(str(tmp_path / "demo" / "clip.mp4")) as clip:
        assert len(list(clip.captures())) == 50
    assert len(list((tmp_path / "demo" / "overlays").iterdir())) == 50
