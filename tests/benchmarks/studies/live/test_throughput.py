from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from edgeseg.benchmarks.studies.live.throughput import main, write_clip
from edgeseg.devices import InputError
from edgeseg.runtime import open_source
from edgeseg.runtime.pictures.files import write_picture


@pytest.fixture
def photos(tmp_path):
    with open_source("synthetic:90x64,still,frames=2") as source:
        for capture in source.captures():
            write_picture(tmp_path / "photos" / f"{capture.name}.jpg", capture.frame)
    return tmp_path / "photos"


def test_the_clip_has_its_size_length_and_movement(photos, tmp_path):
    clip = tmp_path / "clip.mp4"
    write_clip(clip, sorted(photos.iterdir()), 15)
    with open_source(str(clip)) as source:
        frames = [capture.frame for capture in source.captures()]
    assert [frame.shape for frame in frames] == [(480, 640, 3)] * 15
    assert (frames[0] != frames[4]).any()


def test_a_clip_of_no_photos_is_refused(tmp_path):
    with pytest.raises(InputError, match="expected photos"):
        write_clip(tmp_path / "clip.mp4", [], 10)


@pytest.mark.long
def test_the_record_holds_every_round_and_its_conditions(
    photos, golden_model, tmp_path
):
    target = tmp_path / "record.json"
    short = ("--rounds", "2", "--frames", "12", "--seconds", "4", "--note", "a test")
    arguments = [str(golden_model), "--json", str(target), "--photos", str(photos)]
    done = CliRunner().invoke(main, [*arguments, *short], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    record = json.loads(target.read_text())
    case = record["cases"]["shapes"]
    assert [one["frames"] for one in case["rounds"]] == [12, 12]
    for one in case["rounds"]:
        assert one["ratio"] == one["invoke_alone_ms"] / one["frame_ms"]
        assert one["of_bound"] == one["bound_ms"] / one["frame_ms"]
        assert one["bound_ms"] >= one["invoke_alone_ms"]
        assert one["decode_cpu_ms"] > 0
        assert one["own_cpu_ms"] > 0
    low, high = case["ratio_range"]
    assert low <= case["ratio"] <= high
    live = case["live"]
    assert live["within_limit"] == (live["age_p90_ms"] < live["limit_ms"])
    assert live["limit_ms"] == 2 * live["invoke_ms"] + 1000 / 30
    assert case["conditions"]["model_sha256"]
    assert record["note"] == "a test"
