from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from edgeseg.devices import InputError, MissingDriverError, OutputError
from edgeseg.devices.plain_text import hide_credentials
from edgeseg.runtime.gstreamer import GstReader, GstWriter, has_elements

pytestmark = pytest.mark.skipif(
    not has_elements("videotestsrc", "videoconvert", "pnmenc", "rawvideoparse"),
    reason="needs gst-launch-1.0 with the plugins base, good and bad",
)
SIZE = "video/x-raw,width={},height={}"


def noise(width, height, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, 3), np.uint8)


def count(reader):
    """Read to the end."""
    frames = 0
    while reader.read() is not None:
        frames += 1
    return frames


def read_on(reader):
    while True:
        reader.read()


def write_on(writer, size_wh):
    while True:
        writer.write(noise(*size_wh))


def alive(pid):
    """Whether a process is there, be it as a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def zombie(pid):
    """Whether it has ended and only waits for init, which a container may lack."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.mark.parametrize(
    ("pattern", "colour"),
    [("red", (255, 0, 0)), ("green", (0, 255, 0)), ("blue", (0, 0, 255))],
)
def test_a_colour_comes_out_as_it_is_with_rows_that_gstreamer_pads(pattern, colour):
    caps = SIZE.format(322, 6) + ",format=RGB"  # 966 bytes a row, padded to 968
    with GstReader(f"videotestsrc pattern={pattern} ! {caps}") as reader:
        frame = reader.read()
    np.testing.assert_array_equal(frame, np.full((6, 322, 3), colour, np.uint8))


def test_frames_come_at_their_time_and_pipelines_end():
    pipeline = "videotestsrc num-buffers=7 ! video/x-raw,framerate=20/1"
    with GstReader(pipeline) as reader:
        start, frames = time.monotonic(), count(reader)
        assert time.monotonic() - start > 5 / 20  # not at once
    assert 2 <= frames <= 7  # a busy machine drops some
    assert not alive(reader.pid)


def test_a_size_that_is_asked_for_keeps_the_aspect():
    pipeline = f"videotestsrc pattern=white ! {SIZE.format(100, 50)} ! queue"
    with GstReader(pipeline, size_wh=(40, 40)) as reader:
        frame = reader.read()
    assert frame.shape == (40, 40, 3)
    assert frame[:9].max() < 30
    assert frame[11:29].min() > 225


def test_a_rate_that_is_asked_for_is_a_limit():
    pipeline = "videotestsrc num-buffers=30 ! video/x-raw,framerate=60/1"
    with GstReader(pipeline, fps=10) as reader:
        frames = count(reader)
    assert 1 <= frames <= 7


def test_a_reader_that_is_late_gets_new_frames():
    """Half a second of waiting costs a second of stream no more than what is piped."""
    caps = SIZE.format(640, 480) + ",framerate=60/1"
    with GstReader(f"videotestsrc is-live=true ! {caps}") as reader:
        reader.read()
        time.sleep(0.5)  # 30 frames
        start, waited = time.monotonic(), 0
        while time.monotonic() - start < 0.1:
            reader.read()
            waited += 1
    assert waited < 20


@pytest.mark.parametrize(
    ("pipeline", "error", "message"),
    [
        ("nosuchelement", MissingDriverError, "no element 'nosuchelement' here"),
        ("rtspclientsink", InputError, "could not link"),
        ("nvarguscamerasrc", MissingDriverError, "install nvidia-l4t-gstreamer"),
        ("videotestsrc ! !", InputError, "syntax error"),
        ("videotestsrc foo=1", InputError, 'no property "foo"'),
        ("v4l2src device=/dev/video97", InputError, "'/dev/video97' .No such file"),
        ("filesrc location=/dev/null ! decodebin", InputError, "gst:filesrc"),
        ("audiotestsrc", InputError, "could not link"),
    ],
)
def test_a_pipeline_that_is_wrong_is_told_in_one_line(pipeline, error, message):
    if "rtspclientsink" in pipeline and not has_elements("rtspclientsink"):
        error, message = MissingDriverError, "install gstreamer1.0-rtsp"
    with (
        GstReader(pipeline) as reader,
        pytest.raises(error, match=message) as raised,
    ):
        reader.read()
    assert "\n" not in str(raised.value)
    assert not alive(reader.pid)


@pytest.mark.parametrize(
    ("pipeline", "message"), [("", "got nothing"), ("a 'b", "No closing quotation")]
)
def test_what_is_no_pipeline_is_refused_before_a_child_starts(pipeline, message):
    with pytest.raises(InputError, match=message):
        GstReader(pipeline)


def test_without_gstreamer_the_packages_are_named(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(MissingDriverError, match=r"apt install gstreamer1\.0-tools"):
        GstReader("videotestsrc")
    assert not has_elements("videotestsrc")


def test_a_stream_that_stalls_and_one_that_never_starts_are_told():
    silent = "videotestsrc ! valve drop=true"
    with (
        GstReader(silent, start_s=0.3) as reader,
        pytest.raises(InputError, match=r"no frame within 0\.3 s"),
    ):
        reader.read()


def test_a_child_that_was_killed_is_told():
    with GstReader("videotestsrc") as reader:
        reader.read()
        os.kill(reader.pid, signal.SIGKILL)
        with pytest.raises(InputError, match="killed by SIGKILL"):
            read_on(reader)
    assert not alive(reader.pid)


def test_a_child_does_not_outlive_a_program_that_was_killed():
    code = (
        "from edgeseg.runtime.gstreamer import GstReader\n"
        "reader = GstReader('videotestsrc')\n"
        "reader.read()\n"
        "print(reader.pid, flush=True)\n"
        "while True: reader.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as held:
        pid = int(held.stdout.readline())
        assert alive(pid)
        held.kill()
    end = time.monotonic() + 5
    while alive(pid) and not zombie(pid) and time.monotonic() < end:
        time.sleep(0.02)
    assert not alive(pid) or zombie(pid)


def test_a_child_that_ignores_its_end_is_killed():
    with GstReader("videotestsrc") as reader:
        reader.read()
        os.kill(reader.pid, signal.SIGSTOP)
    assert not alive(reader.pid)


def test_an_interrupted_reader_returns_none():
    with GstReader("videotestsrc ! valve drop=true") as reader:
        reader.interrupt()
        assert reader.read() is None


def test_secrets_are_in_no_message():
    url = "rtsp://eve:s3cret@127.0.0.1:9/live?token=42"
    with (
        GstReader(f"rtspsrc location={url} ! decodebin") as reader,
        pytest.raises(InputError, match=r"rtsp://127\.0\.0\.1:9/live") as raised,
    ):
        reader.read()
    for secret in ("eve", "s3cret", "token", "42"):
        assert secret not in str(raised.value)
    assert hide_credentials("http://a:b@c@d/x y") == "http://d/x y"


@pytest.mark.parametrize("live", [False, True])
def test_what_is_written_is_read_byte_by_byte(tmp_path, live):
    """Through a file of PNM pictures: rows of 322 pixels have no padding there."""
    path, frames = tmp_path / "frames.pnm", [noise(322, 5, seed) for seed in range(4)]
    sink = f"video/x-raw,format=RGB ! pnmenc ! filesink location={path}"
    with GstWriter(sink, (322, 5), 30, live=live) as writer:
        for frame in frames:
            writer.write(frame)
    header = b"P6\n322 5\n255\n"
    assert path.read_bytes() == b"".join(header + f.tobytes() for f in frames)
    assert not alive(writer.pid)


@pytest.mark.skipif(not shutil.which("ffprobe"), reason="needs ffprobe")
@pytest.mark.parametrize("live", [False, True])
def test_frames_are_stamped_by_number_or_by_the_clock(tmp_path, live):
    path = tmp_path / "frames.mkv"
    with GstWriter(
        f"matroskamux ! filesink location={path}", (64, 48), 1, live=live
    ) as writer:
        for seed in range(5):
            writer.write(noise(64, 48, seed))
            time.sleep(0.05)
    times = subprocess.check_output(
        [
            *[
                "ffprobe",
                "-v",
                "error",
                "-show_entries",
                "packet=pts_time",
                "-of",
                "csv=p=0",
            ],
            path,
        ],
        text=True,
    )
    span = float(times.split()[-1]) - float(times.split()[0])
    if live:
        assert 0 <= span < 3  # a child that starts slowly gets them closer together
    else:
        assert span == pytest.approx(4, abs=1e-3)


@pytest.mark.parametrize(
    ("pipeline", "error", "message"),
    [
        ("nosuchelement", MissingDriverError, "no element 'nosuchelement' here"),
        ("jpegenc foo=1 ! fakesink", OutputError, 'no property "foo"'),
        ("filesink location=/nowhere/clip", OutputError, "No such file or directory"),
    ],
)
def test_an_output_that_does_not_start_is_told_at_once(pipeline, error, message):
    with pytest.raises(error, match=message) as raised:
        GstWriter(pipeline, (8, 8), 10)
    assert "\n" not in str(raised.value)


def test_an_output_that_dies_or_hangs_is_told():
    with GstWriter("fakesink", (64, 48), 10) as writer:
        os.kill(writer.pid, signal.SIGKILL)
        with pytest.raises(OutputError, match="killed by SIGKILL"):
            write_on(writer, (64, 48))
        with pytest.raises(OutputError, match="has ended"):
            writer.write(noise(64, 48))
    with GstWriter("fakesink", (640, 480), 10, stall_s=0.3) as writer:
        os.kill(writer.pid, signal.SIGSTOP)
        with pytest.raises(OutputError, match=r"took no frame for 0\.3 s"):
            write_on(writer, (640, 480))
    assert not alive(writer.pid)


def test_a_full_disk_is_told():
    with (
        GstWriter("filesink location=/dev/full", (640, 480), 10) as writer,
        pytest.raises(OutputError, match="No space left"),
    ):
        write_on(writer, (640, 480))
    assert not alive(writer.pid)


def test_what_fails_at_the_end_is_told_at_the_end(tmp_path):
    """The container's header is written with the first frames, here to no disk."""
    writer = GstWriter("filesink location=/dev/full", (8, 8), 10)
    writer.write(noise(8, 8))
    with pytest.raises(OutputError, match="No space left"):
        writer.close()
    assert not alive(writer.pid)


def test_a_frame_of_another_size_is_refused():
    with (
        GstWriter("fakesink", (64, 48), 10) as writer,
        pytest.raises(InputError, match="expected frames of 64x48"),
    ):
        writer.write(noise(48, 64))
