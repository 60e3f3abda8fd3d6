"""What the README's first command does, with nothing but the package."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

from edgeseg.converter import demo
from edgeseg.converter.demo import run_demo
from edgeseg.converter.shipped import ranges_file
from edgeseg.runtime import Segmenter, open_source
from edgeseg.runtime.pictures.files import read_picture
from edgeseg.runtime.shipped import model_file, photo_folder


@pytest.mark.long
def test_the_demo_converts_finds_and_films(tmp_path):
    steps = []
    told = run_demo(tmp_path / "demo", progress=steps.append)
    lines = dict(line.split(": ", 1) for line in told.splitlines() if ": " in line)
    assert lines["cat"].startswith(("cat ", "background "))
    assert "cat " in lines["cat"]
    assert "person " in lines["astronaut"]
    assert len(steps) > 3
    with Segmenter.open(tmp_path / "demo" / "voc.tflite") as made:
        assert made.device.inputs[0].dtype == "int8"
        with Segmenter.open(model_file("voc")) as shipped:
            for photo in sorted(photo_folder().glob("*.jpg")):
                frame = read_picture(photo)
                ids = made.segment(frame).ids
                np.testing.assert_array_equal(ids, shipped.segment(frame).ids)
    made_bytes = (tmp_path / "demo" / "voc.tflite").read_bytes()
    assert made_bytes == model_file("voc").read_bytes()
    assert "byte for byte the one that comes with the package" in told
    with open_source(str(tmp_path / "demo" / "clip.mp4")) as clip:
        assert len(list(clip.captures())) == 120
    for folder in ("overlays", "blurred"):
        assert len(list((tmp_path / "demo" / folder).iterdir())) == 2


@pytest.mark.long
def test_ranges_that_do_not_fit_leave_a_demo(tmp_path, monkeypatch):
    stored = json.loads(ranges_file("voc").read_text())
    stored["structure_sha256"] = "of a TensorFlow to come"
    stored["made_with"]["tensorflow"] = "9.0"
    other = tmp_path / "other.json"
    other.write_text(json.dumps(stored))
    monkeypatch.setattr(demo, "ranges_file", lambda name: other)
    steps = []
    told = run_demo(tmp_path / "demo", progress=steps.append)
    (note,) = [step for step in steps if step.startswith("going on with the int8 file")]
    assert "lowered to a different graph" in note
    assert "tensorflow 9.0 there" in note
    share = float(re.search(r"gives ([0-9.]+)% of the labels of the float", told)[1])
    assert 99 < share < 100
    made = {path.name for path in (tmp_path / "demo").iterdir()}
    assert "voc.float.tflite" in made
    assert "voc.tflite" not in made
    assert {"overlays", "blurred", "clip.mp4", "found.jsonl"} <= made


def test_the_photos_show_what_they_are_said_to():
    found = {}
    with Segmenter.open(model_file("voc")) as segmenter:
        for photo in photo_folder().glob("*.jpg"):
            result = segmenter.segment(read_picture(photo))
            found[photo.stem] = {
                segmenter.manifest.label(i): area / result.ids.size
                for i, area in result.areas.items()
            }
    assert found["cat"]["cat"] > 0.4
    assert found["cat"].get("dog", 0) < 0.02
    assert found["astronaut"]["person"] > 0.3
