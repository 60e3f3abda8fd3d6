"""Frames read by another process, whole, and nothing left behind."""

from __future__ import annotations

import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from edgeseg.devices import InputError, OutputError
from edgeseg.runtime import Capture, Manifest, Segmentation, Style
from edgeseg.runtime.output.open import open_sink
from edgeseg.runtime.output.shared_frames import SharedFrameReader, shared_path

if not Path("/dev/shm").is_dir():
    pytest.skip("needs /dev/shm: not there", allow_module_level=True)

STYLE = Style(Manifest(labels=("background", "cat")))
# writes frames of one value, a new one each time, as fast as it can
WRITER = """
import sys
import numpy as np
from edgeseg.runtime import Capture, Manifest, Segmentation, Style
from edgeseg.runtime.output.open import open_sink
sink = open_sink("shared:" + sys.argv[1], Style(Manifest(labels=("background",))))
for n in range(10**9):
    frame = np.full((120, 160, 3), n % 251, np.uint8)
    ids = np.zeros((120, 160), np.uint8)
    sink.write(Capture(frame, "x", float(n)), Segmentation(ids, (), {}))
    if n == 0:
        print("ready", flush=True)
"""
READER = """
import sys
from edgeseg.runtime.output.shared_frames import SharedFrameReader
with SharedFrameReader(sys.argv[1]) as reader:
    frame = reader.read()
    print(frame.number, frame.picture.shape, int(frame.ids.sum()), frame.time_s)
"""


@pytest.fixture
def name(request):
    name = f"test-{os.getpid()}"
    yield name
    shared_path(name).unlink(missing_ok=True)


def write(sink, value, height=24, width=33):
    frame = np.full((height, width, 3), value, np.uint8)
    ids = np.zeros((height, width), np.uint8)
    ids[:2] = 1
    sink.write(Capture(frame, "x", value / 10), Segmentation(ids, (), {}))
    return frame, ids


def test_another_process_reads_a_frame_and_leaves_it_there(name):
    with open_sink(f"shared:{name}", STYLE) as sink:
        write(sink, 7)
        for _ in range(2):
            command = [sys.executable, "-c", READER, name]
            read = subprocess.check_output(command, text=True)
            assert read.split("\n")[0] == "1 (24, 33, 3) 66 0.7"
    assert not shared_path(name).exists()


def test_a_reader_gets_planes_times_and_the_end(name):
    with open_sink(f"shared:{name}", STYLE) as sink:
        frame, ids = write(sink, 50)
        with SharedFrameReader(name) as reader:
            read = reader.read()
            np.testing.assert_array_equal(read.ids, ids)
            np.testing.assert_array_equal(read.picture[2:], frame[2:])
            assert (read.picture[:2] != frame[:2]).any()  # the tint
            assert 0 <= time.monotonic() - read.captured_s < 60
            write(sink, 51)
            write(sink, 52)
            assert reader.read().number == 3  # the newest
            with pytest.raises(InputError, match="no new frame"):
                reader.read(timeout_s=0.05)
            sink.close()
            assert reader.read() is None


def test_a_reader_follows_a_change_of_size(name):
    with open_sink(f"shared:{name}", STYLE) as sink:
        write(sink, 50)
        with SharedFrameReader(name) as reader:
            assert reader.read().ids.shape == (24, 33)
            write(sink, 50, 60, 40)
            assert reader.read().ids.shape == (60, 40)


def test_no_frame_is_torn(name):
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, name], stdout=subprocess.PIPE
    ) as child:
        try:
            assert child.stdout.readline() == b"ready\n"
            numbers = []
            with SharedFrameReader(name) as reader:
                for _ in range(400):
                    frame = reader.read()
                    value = (frame.number - 1) % 251
                    assert frame.time_s == frame.number - 1
                    np.testing.assert_array_equal(frame.picture, value)
                    numbers.append(frame.number)
            assert np.diff(numbers).min() > 0
        finally:
            child.send_signal(signal.SIGKILL)


def test_what_a_killed_writer_left_is_replaced(name):
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, name], stdout=subprocess.PIPE
    ) as child:
        assert child.stdout.readline() == b"ready\n"
        with pytest.raises(OutputError, match="another process"):
            open_sink(f"shared:{name}", STYLE)
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert shared_path(name).exists()
    with open_sink(f"shared:{name}", STYLE) as sink:
        write(sink, 9)
        with SharedFrameReader(name) as reader:
            assert reader.read().number == 1


def test_the_header_is_as_documented(name):
    with open_sink(f"shared:{name}", STYLE) as sink:
        write(sink, 9)
        head = shared_path(name).read_bytes()
    assert head[:8] == b"EDGESEG1"
    fields = struct.unpack_from("<IIIIIIQQ", head, 8)
    assert fields[:5] == (1, 1, 33, 24, 3)
    assert fields[6:] == (1, os.getpid())
    assert len(head) == 128 + 3 * fields[5]
    assert struct.unpack_from("<d", head, 128)[0] == 0.9
    ids = np.frombuffer(head, np.uint8, 24 * 33, 128 + 64)
    assert ids.sum() == 66


def test_only_the_user_reads_it(name):
    with open_sink(f"shared:{name}", STYLE) as sink:
        write(sink, 9)
        assert shared_path(name).stat().st_mode & 0o077 == 0


def test_no_room_is_one_line_and_leaves_nothing(name):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with (
            pytest.raises(OutputError, match="cannot share frames"),
            open_sink(f"shared:{name}", STYLE) as sink,
        ):
            write(sink, 9)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, old)
    assert not shared_path(name).exists()
    assert not list(Path("/dev/shm").glob(".edgeseg-*"))


def test_nothing_to_read_is_one_line():
    with pytest.raises(InputError, match="no frame is shared as 'nobody'"):
        SharedFrameReader("nobody")


@pytest.mark.parametrize("text", ["", "../x", "a/b", "a b", ".hidden"])
def test_a_name_that_is_none_is_one_line(text):
    with pytest.raises(InputError, match="expected a name"):
        open_sink(f"shared:{text}", STYLE)


def plant_fifo(path):
    os.mkfifo(path)


def plant_link(path):
    path.symlink_to("/etc/passwd")


def plant_dangling_link(path):
    path.symlink_to(path.with_name("edgeseg-nowhere"))


def plant_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def plant_another_users(path):
    if os.geteuid():
        pytest.skip("needs the right to give files to others")
    path.write_bytes(b"EDGESEG1" + bytes(5000))
    os.chown(path, 65534, 65534)


def plant_what_all_write(path):
    path.write_bytes(b"EDGESEG1" + bytes(5000))
    path.chmod(0o666)


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        (plant_fifo, "it is a named pipe"),
        (plant_link, "it is a link"),
        (plant_dangling_link, "it is a link"),
        (plant_socket, "it is a special file"),
        (Path.mkdir, "it is a folder"),
        (plant_another_users, "it belongs to another user"),
        (plant_what_all_write, "other users may write it"),
    ],
)
def test_what_others_planted_is_left_alone(plant, words, name):
    path = shared_path(name)
    plant(path)
    before = path.lstat()
    try:
        with pytest.raises(OutputError, match=f"{words}.*choose another name"):
            open_sink(f"shared:{name}", STYLE)
        with pytest.raises(InputError, match=words):
            SharedFrameReader(name)
        assert path.lstat() == before
    finally:
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def test_a_reader_may_name_another_owner(name):
    if os.geteuid():
        pytest.skip("needs the right to read the files of others")
    with open_sink(f"shared:{name}", STYLE) as sink:
        write(sink, 9)
        os.chown(shared_path(name), 65534, 65534)
        with pytest.raises(InputError, match="belongs to another user"):
            SharedFrameReader(name)
        with SharedFrameReader(name, owner=65534) as reader:
            assert reader.read().number == 1


def test_a_file_that_is_cut_off_is_no_frame(name):
    with open_sink(f"shared:{name}", STYLE) as sink:
        write(sink, 9)
        whole = shared_path(name).read_bytes()
        for length in (0, 7, 60, 128, len(whole) - 1):
            shared_path(name).write_bytes(whole[:length])
            with pytest.raises(InputError, match=r"is not of this version|empty"):
                SharedFrameReader(name)
