from __future__ import annotations

import json
import time
from datetime import datetime, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.devices import InputError, OutputError
from edgeseg.runtime import Capture, Manifest, Segmentation, Style
from edgeseg.runtime.capture.open import open_source
from edgeseg.runtime.output.open import open_sink
from edgeseg.runtime.pictures.atomic import write_bytes
from edgeseg.runtime.segmentation.mask_shapes import from_run_lengths, run_lengths

STYLE = Style(Manifest(labels=("background", "bright")))


def write(sink, height, width, name="picture"):
    frame = np.full((height, width, 3), 90, np.uint8)
    ids = np.ones((height, width), np.uint8)
    sink.write(Capture(frame, name, 0.0), Segmentation(ids, (), {}))


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mkv", ".mov"])
def test_a_video_of_odd_and_changing_sizes_keeps_every_frame(suffix, tmp_path):
    clip = tmp_path / f"clip{suffix}"
    with open_sink(str(clip), STYLE) as sink:
        for height, width in ((47, 63), (47, 63), (90, 20)):
            write(sink, height, width)
    with open_source(str(clip)) as source:
        shapes = [capture.frame.shape for capture in source.captures()]
    assert shapes == [(48, 64, 3)] * 3


def test_a_json_file_with_half_a_line_alone_is_started_anew(tmp_path):
    path = tmp_path / "out.jsonl"
    path.write_text('{"na')
    with open_sink(str(path), Style(Manifest(), resume=True)) as sink:
        write(sink, 2, 2)
    assert json.loads(path.read_text())["name"] == "picture"


def test_a_foreign_json_file_is_not_added_to(tmp_path):
    path = tmp_path / "out.jsonl"
    path.write_text("[1]\n")
    with pytest.raises(OutputError, match="choose another file"):
        open_sink(str(path), Style(Manifest(), resume=True))
    assert path.read_text() == "[1]\n"


def test_a_suffix_of_no_known_output_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot tell what to write"):
        open_sink(str(tmp_path / "out.xyz"), STYLE)


def test_a_folder_is_not_replaced_by_a_file(tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(OutputError, match="a folder of that name"):
        write_bytes(tmp_path / "out", b"content")
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_run_lengths_sum_to_the_picture_and_are_undone(height, width, seed):
    rng = np.random.default_rng(seed)
    mask = rng.random((height, width)) < rng.random()
    encoded = json.loads(json.dumps(run_lengths(mask)))
    assert sum(encoded["counts"]) == mask.size
    np.testing.assert_array_equal(from_run_lengths(encoded), mask)


def test_run_lengths_go_down_the_columns():
    mask = np.array([[False, True, True], [False, True, False]])
    assert run_lengths(mask) == {"size": [2, 3], "counts": [2, 3, 1]}


def test_a_line_tells_age_clock_time_and_centroids(tmp_path):
    ids = np.zeros((20, 30), np.uint8)
    ids[4:8, 10:20] = 1
    capture = Capture(np.zeros((20, 30, 3), np.uint8), "a", 0.0, time.monotonic() - 2.5)
    with open_sink(str(tmp_path / "a.jsonl"), STYLE) as sink:
        sink.write(capture, Segmentation(ids, (), {}))
    record = json.loads((tmp_path / "a.jsonl").read_text())
    now = datetime.now(timezone.utc)
    captured = datetime.fromisoformat(record["captured"])
    assert 2500 <= record["age_ms"] < 60_000
    assert 2 <= (now - captured).total_seconds() < 60
    assert record["classes"][1]["centroid"] == [14.5, 5.5]
    y, x = np.nonzero(ids == 0)
    np.testing.assert_allclose(
        record["classes"][0]["centroid"], [x.mean(), y.mean()], atol=0.005
    )


def test_null_takes_everything_draws_when_asked_and_may_stand_alone(monkeypatch):
    drawn = []
    monkeypatch.setattr(Style, "draw", lambda *_: drawn.append(1))
    for text, count in (("null", 0), ("null:", 0), ("null:overlay", 1)):
        drawn.clear()
        with open_sink(text, STYLE) as sink:
            write(sink, 4, 4)
        assert len(drawn) == count
    with pytest.raises(InputError, match="expected null or null:overlay"):
        open_sink("null:mask", STYLE)


def test_a_uri_of_no_sink_is_refused():
    with pytest.raises(InputError, match="expected the scheme of one of"):
        open_sink("gopher://host/x", STYLE)
