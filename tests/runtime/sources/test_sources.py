from __future__ import annotations

import threading
import time

import cv2
import numpy as np
import pytest

from edgeseg.devices import InputError, TensorSpec
from edgeseg.devices.boards.fake import Fake
from edgeseg.runtime import (
    CaptureOptions,
    Manifest,
    Segmenter,
    Style,
    open_sink,
    run_pipeline,
)
from edgeseg.runtime.capture.open import SOURCES, open_source
from edgeseg.runtime.pictures.files import write_picture
from edgeseg.runtime.sources.synthetic import SyntheticSource


def segmenter():
    image = TensorSpec("image", (1, 16, 16, 3), "uint8", 1 / 128, 128)
    return Segmenter(
        Fake((image,), (TensorSpec("ids", (1, 16, 16), "int32"),)), Manifest()
    )


@pytest.fixture
def folder(tmp_path):
    for capture in SyntheticSource("40x30,frames=3").captures():
        write_picture(tmp_path / "in" / f"{capture.name}.jpg", capture.frame)
    return tmp_path / "in"


def test_a_truncated_picture_is_told_after_the_others_are_done(folder, tmp_path):
    broken = folder / "scene_000001.jpg"
    broken.write_bytes(broken.read_bytes()[:300])
    source = open_source(str(folder))
    sink = open_sink(f"masks:{tmp_path / 'out'}", Style(Manifest()))
    with pytest.raises(InputError, match=r"1 of 3 .*scene_000001\.jpg"):
        run_pipeline(source, segmenter(), [sink])
    assert len(source.failures) == 1
    done = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert done == ["scene_000000.png", "scene_000002.png"]


def test_only_pictures_that_every_sink_has_are_left_out(folder, tmp_path):
    style = Style(Manifest())

    def sinks(*names):
        return [open_sink(f"masks:{tmp_path / name}", style) for name in names]

    run_pipeline(open_source(str(folder)), segmenter(), sinks("one"))
    (tmp_path / "one" / "scene_000002.png").unlink()
    for names, done in ((("one", "two"), 3), (("one", "two"), 0)):
        tally = run_pipeline(
            open_source(str(folder)), segmenter(), sinks(*names), skip_existing=True
        )
        assert (tally.done, tally.skipped) == (done, 3 - done)


def test_still_scenes_differ_from_frame_to_frame():
    source = SyntheticSource("64x48,still,seed=3")
    assert (source.scene(0)[1] != source.scene(1)[1]).any()


@pytest.mark.parametrize(
    "option",
    ["7x8", "9000x10", "8x8x8", "frames=0", "frames=-1", "seed=x", "fast", "fps=0"],
)
def test_an_option_of_a_scene_that_is_none_is_refused(option):
    with pytest.raises(InputError, match=f"got '{option}'"):
        open_source(f"synthetic:{option}")


def test_a_folder_without_pictures_and_a_missing_path_are_refused(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InputError, match="no pictures in"):
        open_source(str(tmp_path))
    with pytest.raises(InputError, match="no such file, folder or source"):
        open_source(str(tmp_path / "missing"))


def test_size_and_rate_of_a_scene_may_come_from_the_options():
    options = CaptureOptions(size_wh=(64, 48), fps=10.0)
    with open_source("synthetic:frames=3", options) as source:
        captures = list(source.captures())
    assert [c.frame.shape for c in captures] == [(48, 64, 3)] * 3
    assert [c.time_s for c in captures] == [0, 0.1, 0.2]
    with open_source("synthetic:32x24,fps=50", options) as source:
        assert (source.fps, next(iter(source.captures())).frame.shape[0]) == (50, 24)


def test_a_live_scene_takes_its_time_and_has_no_end():
    with open_source("synthetic:32x24,live,fps=100") as source:
        assert source.live
        assert (source.count, source.names()) == (None, ())
        captures = []
        for capture in source.captures():
            captures.append(capture)
            if len(captures) == 40:
                source.stop()
    assert len(captures) == 40
    times = np.array([(c.time_s, c.captured_s) for c in captures])
    # a frame never comes before it is due
    assert ((times[:, 1] - times[0, 1]) >= times[:, 0] - times[0, 0] - 0.005).all()


def test_a_live_scene_with_a_number_of_frames_ends():
    with open_source("synthetic:32x24,live,fps=200,frames=5") as source:
        assert 1 <= len(list(source.captures())) <= 5


def test_a_live_scene_is_stopped_while_it_waits():
    source = open_source("synthetic:32x24,live,fps=1")
    threading.Timer(0.3, source.stop).start()
    assert len(list(source.captures())) <= 2


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 20, (64, 48))
    for capture in SyntheticSource("64x48,frames=30").captures():
        writer.write(cv2.cvtColor(capture.frame, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def test_a_video_tells_when_each_frame_is_to_be_seen(clip):
    with open_source(str(clip)) as source:
        times = [capture.time_s for capture in source.captures()]
    np.testing.assert_allclose(times, np.arange(30) / 20, atol=1e-3)


def test_a_video_that_breaks_off_is_told_after_its_frames_are_done(clip, tmp_path):
    # MJPEG in AVI announces its frames in the header, before they come
    whole, cut = tmp_path / "whole.avi", tmp_path / "cut.avi"
    writer = cv2.VideoWriter(str(whole), cv2.VideoWriter.fourcc(*"MJPG"), 20, (64, 48))
    with open_source(str(clip)) as source:
        for capture in source.captures():
            writer.write(cv2.cvtColor(capture.frame, cv2.COLOR_RGB2BGR))
    writer.release()
    content = whole.read_bytes()
    cut.write_bytes(content[: len(content) // 2])
    sink = open_sink(f"masks:{tmp_path / 'out'}", Style(Manifest()))
    with pytest.raises(InputError, match=r"cut\.avi breaks off: \d+ of 30 frames"):
        run_pipeline(open_source(str(cut)), segmenter(), [sink])
    assert 5 <= len(list((tmp_path / "out").iterdir())) <= 27


def test_a_video_is_stopped_between_frames(clip):
    with open_source(str(clip)) as source:
        taken = 0
        for _ in source.captures():
            taken += 1
            source.stop()
    assert taken == 1
    assert source.failures == ()


def test_a_uri_and_a_bare_name_open_the_source_of_that_name(tmp_path, monkeypatch):
    told = []

    def load(name):
        return lambda text, options: told.append((name, text, options.rotate))

    monkeypatch.setattr(type(SOURCES), "load", lambda self, name: load(name))
    monkeypatch.setattr(
        type(SOURCES), "names", lambda self: ("camera", "http", "rtsp", "video")
    )
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rtsp").write_bytes(b"a file of that name comes first")
    options = CaptureOptions(rotate=90)
    for text in ("camera:0", "camera", "rtsp://a:1/b?c", "https://a/b", "rtsp"):
        open_source(text, options)
    assert told == [
        ("camera", "0", 90),
        ("camera", "", 90),
        ("rtsp", "rtsp://a:1/b?c", 90),
        ("http", "https://a/b", 90),
        ("video", "rtsp", 90),
    ]


def test_a_frame_s_age_counts_from_its_capture():
    before = time.monotonic()
    capture = next(iter(SyntheticSource("32x24,frames=1").captures()))
    assert before <= capture.captured_s <= time.monotonic()
