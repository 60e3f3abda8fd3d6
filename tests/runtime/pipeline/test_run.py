"""Sources, overlay, sinks and the run that joins them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from edgeseg.devices import InputError, ModelError, OutputError, TensorSpec
from edgeseg.devices.boards.fake import Fake
from edgeseg.runtime import (
    Look,
    Manifest,
    Segmenter,
    Sink,
    Style,
    open_sink,
    open_source,
    run_pipeline,
)
from edgeseg.runtime.pictures.files import write_picture
from edgeseg.runtime.segmentation.mask_shapes import (
    from_run_lengths,
    polygons,
    run_lengths,
)
from edgeseg.runtime.sources.synthetic import LABELS, SyntheticSource

IMAGE = TensorSpec("image", (1, 16, 16, 3), "uint8", 1 / 128, 128)
IDS = TensorSpec("ids", (1, 16, 16), "int32")
STYLE = Style(Manifest(labels=("background", "bright")))


def segmenter():
    return Segmenter(Fake((IMAGE,), (IDS,)), STYLE.manifest)


@pytest.fixture
def folder(tmp_path):
    source = SyntheticSource("40x30,still,frames=4")
    for capture, name in zip(
        source.captures(), ("a.png", "b/c.jpg", "a.jpg", ".hidden.png"), strict=True
    ):
        write_picture(tmp_path / "in" / name, capture.frame)
    return tmp_path / "in"


@pytest.fixture
def clip(tmp_path):
    clip = tmp_path / "clip.mp4"
    with open_source("synthetic:64x48,frames=5") as source:
        style = Style(STYLE.manifest, fps=source.fps)
        run_pipeline(source, segmenter(), [open_sink(str(clip), style)])
    return str(clip)


def test_a_folder_is_read_with_its_sub_folders_and_without_hidden_files(folder):
    with open_source(str(folder)) as source:
        assert source.names() == ("a_jpg", "a_png", "b/c")


def test_a_pattern_chooses_files(folder):
    with open_source(f"{folder}/**/*.jpg") as source:
        assert source.names() == ("a", "b/c")


def test_a_video_has_the_frames_rate_and_size_that_were_written(clip):
    with open_source(clip) as source:
        assert source.fps == 25
        frames = [capture.frame for capture in source.captures()]
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 5


def test_video_keeps_red_red(tmp_path):
    frame = np.zeros((48, 64, 3), np.uint8)
    frame[..., 0] = 220
    write_picture(tmp_path / "red.png", frame)
    clip = tmp_path / "red.mp4"
    style = Style(STYLE.manifest, look=Look(alpha=0))
    with open_source(str(tmp_path / "red.png")) as source:
        run_pipeline(source, segmenter(), [open_sink(str(clip), style)])
    with open_source(str(clip)) as source:
        mean = next(source.captures()).frame.mean(axis=(0, 1))
    np.testing.assert_allclose(mean, [220, 0, 0], atol=25)


def test_scenes_are_the_same_each_time_and_have_truth():
    first, again = (SyntheticSource("64x48,seed=4").scene(3) for _ in range(2))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert first[1].max() < len(LABELS)
    other = SyntheticSource("64x48,seed=5").scene(3)
    assert (other[1] != first[1]).any()


def test_run_lengths_are_undone():
    rng = np.random.default_rng(1)
    for shape in ((1, 1), (7, 5), (30, 41)):
        for share in (0, 0.3, 1):
            mask = rng.random(shape) < share
            np.testing.assert_array_equal(from_run_lengths(run_lengths(mask)), mask)


def test_polygons_go_round_the_area():
    mask = np.zeros((10, 12), bool)
    mask[2:6, 3:9] = True
    assert sorted(polygons(mask)[0]) == sorted([3, 2, 3, 5, 8, 5, 8, 2])


def test_a_stopped_json_file_is_continued(folder, tmp_path):
    path = tmp_path / "out.jsonl"
    style = Style(STYLE.manifest, shapes="rle", resume=True)
    run_pipeline(open_source(str(folder)), segmenter(), [open_sink(str(path), style)])
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1][:20])
    tally = run_pipeline(
        open_source(str(folder)),
        segmenter(),
        [open_sink(str(path), style)],
        skip_existing=True,
    )
    assert (tally.done, tally.skipped) == (2, 1)
    names = [json.loads(line)["name"] for line in path.read_text().splitlines()]
    assert names == ["a_jpg", "a_png", "b/c"]


def test_json_areas_are_the_areas_of_the_ids(folder, tmp_path):
    path = tmp_path / "out.jsonl"
    style = Style(STYLE.manifest, shapes="rle")
    run_pipeline(open_source(str(folder)), segmenter(), [open_sink(str(path), style)])
    for line in path.read_text().splitlines():
        record = json.loads(line)
        areas = [from_run_lengths(c["rle"]).sum() for c in record["classes"]]
        assert areas == [c["area"] for c in record["classes"]]
        assert sum(areas) == record["height"] * record["width"]


def test_one_file_cannot_hold_two_overlays(folder, tmp_path):
    with pytest.raises(InputError, match="expected a folder for several pictures"):
        run_pipeline(
            open_source(str(folder)),
            segmenter(),
            [open_sink(str(tmp_path / "one.png"), STYLE)],
        )


class FailsAtTheThird(Sink):
    def __init__(self):
        self.taken = 0

    def write(self, capture, segmentation):
        self.taken += 1
        if self.taken == 3:
            raise OutputError("disk full")


def test_a_failing_sink_ends_the_run_and_the_recording_plays(tmp_path):
    clip = tmp_path / "clip.mp4"
    model = segmenter()
    with pytest.raises(OutputError, match="disk full"):
        run_pipeline(
            open_source("synthetic:64x48,frames=9"),
            model,
            [open_sink(str(clip), STYLE), FailsAtTheThird()],
        )
    with open_source(str(clip)) as source:
        assert len(list(source.captures())) == 3
    with pytest.raises(ValueError, match="closed"):
        model.segment(np.zeros((4, 4, 3), np.uint8))


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
        None,
    ],
)
def test_what_is_no_frame_is_refused(frame):
    with pytest.raises(InputError, match="expected a frame"):
        segmenter().segment(frame)


def test_a_garbage_video_is_refused(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(np.random.default_rng(0).bytes(5000))
    with pytest.raises(InputError, match="neither a picture nor a video"):
        open_source(str(path))


def test_a_single_picture_is_written_without_the_model_in_memory(folder):
    class Looking(Sink):
        def write(self, capture, segmentation):
            with pytest.raises(ModelError, match="closed"):
                opened.segment(capture.frame)
            seen.append(segmentation.ids.shape)

    opened, seen = segmenter(), []
    tally = run_pipeline(open_source(str(folder / "a.png")), opened, [Looking()])
    assert tally.done == len(seen) == 1
