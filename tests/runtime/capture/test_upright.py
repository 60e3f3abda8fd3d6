from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest

from edgeseg.devices import InputError
from edgeseg.runtime import CaptureOptions, open_source
from edgeseg.runtime.capture.opencv import OpencvConnection, quiet_opencv
from edgeseg.runtime.capture.upright import rotated
from edgeseg.runtime.pictures.files import write_picture


@pytest.mark.parametrize(("degrees", "turns"), [(0, 0), (90, -1), (180, 2), (270, 1)])
def test_frames_are_turned_clockwise(degrees, turns):
    frame = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    np.testing.assert_array_equal(rotated(frame, degrees), np.rot90(frame, turns))


def test_every_kind_of_file_is_turned(tmp_path):
    frame = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    write_picture(tmp_path / "in" / "a.png", frame)
    for text in (
        tmp_path / "in",
        tmp_path / "in" / "a.png",
        "synthetic:60x40,frames=1",
    ):
        with open_source(str(text), CaptureOptions(rotate=90)) as source:
            turned = next(iter(source.captures())).frame
        assert turned.shape == (60, 40, 3)


@pytest.mark.parametrize(
    "options", [{"rotate": 45}, {"size_wh": (0, 4)}, {"fps": 0.0}, {"fps": -1.0}]
)
def test_what_no_source_can_do_is_refused(options):
    with pytest.raises(InputError, match="expected"):
        CaptureOptions(**options)


# a file's display matrix, its first two columns: how to turn (clockwise) or mirror
MATRICES = {
    0: (1, 0, 0, 1),
    90: (0, 1, -1, 0),
    180: (-1, 0, 0, -1),
    270: (0, -1, 1, 0),
}
QUARTERS = np.uint8([[[250, 0, 0], [0, 250, 0]], [[0, 0, 250], [250, 250, 250]]])


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A short MP4 of four coloured quarters, 64 x 48 pixels."""
    cv2 = quiet_opencv()
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    code = cv2.VideoWriter.fourcc(*"mp4v")
    writer = cv2.VideoWriter(str(path), code, 10.0, (64, 48))
    for _ in range(3):
        writer.write(np.kron(QUARTERS, np.ones((24, 32, 1), np.uint8))[..., ::-1])
    writer.release()
    return path.read_bytes()


def with_matrix(clip, matrix):
    """Return the clip with another matrix in its track header (ISO/IEC 14496-12)."""
    a, b, c, d = (int(n * 65536) for n in matrix)
    begin = clip.index(b"tkhd") + 4 + 40
    packed = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    return clip[:begin] + packed + clip[begin + len(packed) :]


@pytest.fixture(params=["this release", "4.11"])
def release(request, monkeypatch):
    """OpenCV as it is, and with a reader whose turning is off at first."""
    opened = cv2.VideoCapture

    def open_unturned(*arguments):
        video = opened(*arguments)
        video.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
        return video

    if request.param == "4.11":
        monkeypatch.setattr(cv2, "VideoCapture", open_unturned)


def assert_turned(frame, degrees):
    expected = np.rot90(QUARTERS, -degrees // 90)
    height, width = (48, 64) if degrees % 180 == 0 else (64, 48)
    assert frame.shape == (height, width, 3)
    corners = frame[height // 4 :: height // 2, width // 4 :: width // 2]
    # a lossy codec, far from the next colour
    np.testing.assert_allclose(corners.astype(int), expected, atol=40)


@pytest.mark.parametrize("asked", [0, 90])
@pytest.mark.parametrize("degrees", MATRICES)
def test_a_video_is_turned_as_it_asks(degrees, asked, release, clip, tmp_path):
    path = tmp_path / "phone.mp4"
    path.write_bytes(with_matrix(clip, MATRICES[degrees]))
    with open_source(str(path), CaptureOptions(rotate=asked)) as source:
        frames = [capture.frame for capture in source.captures()]
    assert len(frames) == 3
    for frame in frames:
        assert_turned(frame, (degrees + asked) % 360)


def test_a_video_at_another_angle_is_left_as_it_is(release, clip, tmp_path):
    path = tmp_path / "tilted.mp4"
    path.write_bytes(with_matrix(clip, (0.707, 0.707, -0.707, 0.707)))
    with open_source(str(path)) as source:
        assert_turned(next(iter(source.captures())).frame, 0)


@pytest.mark.parametrize("degrees", MATRICES)
def test_a_stream_is_turned_as_it_asks(degrees, release, clip, tmp_path):
    path = tmp_path / "phone.mp4"
    path.write_bytes(with_matrix(clip, MATRICES[degrees]))
    connection = OpencvConnection(str(path), "FFMPEG")
    connection.open()
    frame = connection.read()
    connection.close()
    assert_turned(frame, degrees)
    assert connection.details["given_wh"] == [frame.shape[1], frame.shape[0]]
