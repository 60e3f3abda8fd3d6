from __future__ import annotations

import email
import io

import mjpeg_server as camera
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.devices import InputError
from edgeseg.devices.plain_text import is_printable
from edgeseg.runtime.capture import jpeg as _jpeg
from edgeseg.runtime.capture.http import HttpConnection
from edgeseg.runtime.capture.multipart import PART_LIMIT, PartReader

JPEGS = [camera.picture((200, 30, shade)) for shade in (0, 100, 250)]


def parts_of(stream, boundary="frame", step=1 << 16):
    source = io.BytesIO(stream)
    return list(PartReader(lambda n: source.read(min(n, step)), boundary).parts())


def pictures(parts):
    return [_jpeg.decode(part) is not None for part in parts]


@pytest.mark.parametrize("length", [True, False])
@given(
    jpegs=st.lists(st.sampled_from(JPEGS), max_size=4),
    step=st.integers(1, 3000),
    dashes=st.sampled_from(["frame", "--frame", '"frame"']),
    preamble=st.sampled_from([b"", b"\r\n", b"hello\n"]),
)
def test_whatever_the_network_cuts_the_parts_come_whole(
    length, jpegs, step, dashes, preamble
):
    body = b"".join(camera.part(jpeg, length) for jpeg in jpegs)
    found = parts_of(preamble + body + b"--frame--\r\n", dashes, step)
    assert [part.rstrip() for part in found] == [jpeg.rstrip() for jpeg in jpegs]


@given(jpegs=st.lists(st.sampled_from(JPEGS), max_size=4), step=st.integers(1, 3000))
def test_without_a_boundary_the_markers_tell_the_pictures(jpegs, step):
    stream = b"--other\r\n\r\n".join([b"", *jpegs, b"\r\n"])
    assert parts_of(stream, None, step) == jpegs


@given(st.binary(max_size=600), st.sampled_from(["frame", None]))
def test_any_bytes_end_or_are_refused(data, boundary):
    for part in parts_of(data + b"\r\n--frame\r\n\r\n" + data, boundary):
        _jpeg.decode(part)


@given(st.data())
def test_a_damaged_picture_is_decoded_or_is_none(data):
    damaged = bytearray(JPEGS[0])
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(
            st.integers(0, 255)
        )
    frame = _jpeg.decode(bytes(damaged[: data.draw(st.integers(0, len(damaged)))]))
    assert frame is None or (frame.ndim, frame.dtype) == (3, np.uint8)


def test_a_wrong_length_costs_that_part_only():
    short = camera.part(JPEGS[0]).replace(
        f"Length: {len(JPEGS[0])}".encode(), b"Length: 100"
    )
    stream = camera.part(JPEGS[0]) + short + camera.part(JPEGS[1])
    assert pictures(parts_of(stream)) == [True, False, True]


def test_a_cut_off_picture_is_none():
    assert _jpeg.decode(JPEGS[0][:-2]) is None
    assert _jpeg.decode(JPEGS[0]).shape == (48, 64, 3)


def test_damage_is_not_talked_about(capfd):
    for at in range(200, len(JPEGS[0]) - 2, 3):
        damaged = bytearray(JPEGS[0])
        damaged[at] ^= 0xFF
        _jpeg.decode(damaged)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("header", ["Content-Type", "Content-Encoding"])
def test_a_header_of_two_lines_is_refused_in_one(header):
    headers = email.message_from_string(f"{header}: multipart/\n  \x1bmixed\n\n")
    with pytest.raises(InputError) as caught:
        HttpConnection("http://camera/video")._boundary(headers)
    assert is_printable(str(caught.value))


def test_a_preview_inside_does_not_end_a_picture():
    preview = JPEGS[1]
    segment = b"\xff\xe1" + (len(preview) + 2).to_bytes(2, "big") + preview
    whole = JPEGS[0][:2] + segment + JPEGS[0][2:]
    assert parts_of(b"x" + whole + whole, None) == [whole, whole]


def test_a_picture_that_announces_a_giant_is_not_decoded():
    jpeg = bytearray(JPEGS[0])
    at = jpeg.find(b"\xff\xc0")
    jpeg[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    assert _jpeg.size_of(jpeg) == (65535, 65535)
    assert _jpeg.decode(bytes(jpeg)) is None


@pytest.mark.parametrize(
    ("start", "filler", "boundary", "message"),
    [
        (b"x", b"x" * 65536, "frame", "no boundary within"),
        (b"--frame\r\n", b"X-Header: y\r\n" * 5000, "frame", "end of a part's headers"),
        (b"--frame\r\n\r\n", b"x" * 65536, "frame", "no boundary within"),
        (b"\xff\xd8", b"x" * 65536, None, "no end of a JPEG within"),
    ],
)
def test_what_never_ends_is_given_up(start, filler, boundary, message):
    sent = iter([start])
    received = 0

    def receive(count):
        nonlocal received
        received += len(filler)
        return next(sent, filler)

    with pytest.raises(InputError, match=message):
        list(PartReader(receive, boundary).parts())
    assert received < PART_LIMIT + (1 << 20)


def test_an_announced_giant_is_refused():
    with pytest.raises(InputError, match="99999999999 bytes is announced"):
        parts_of(b"--frame\r\nContent-Length: 99999999999\r\n\r\n")
