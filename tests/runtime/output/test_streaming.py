"""Streams and windows, through real GStreamer children, servers and displays."""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import os
import shutil
import socket
import socketserver
import subprocess
import threading
import time

import numpy as np
import pytest

from edgeseg.devices import (
    EdgesegError,
    InputError,
    MissingDriverError,
    OutputError,
    RejectedError,
)
from edgeseg.runtime import Capture, Manifest, Segmentation, Style
from edgeseg.runtime.gstreamer import GstReader, has_elements
from edgeseg.runtime.output.open import open_sink
from edgeseg.runtime.sinks import rtp

STYLE = Style(Manifest(labels=("background",)), fps=15.0)
GREEN = (30, 200, 60)

# takes what a client publishes at /live and keeps it going to nobody
RECORDER = """
import sys
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_service(sys.argv[1])
factory = GstRtspServer.RTSPMediaFactory()
factory.set_transport_mode(GstRtspServer.RTSPTransportMode.RECORD)
factory.set_launch(
    "( decodebin name=depay0 ! videoconvert ! video/x-raw,format=RGB ! pngenc "
    "! multifilesink sync=false location=" + sys.argv[2] + " )"
)
server.get_mount_points().add_factory("/live", factory)
server.attach(None)
print("ready", flush=True)
GLib.MainLoop().run()
"""


def needs(*elements):
    if not shutil.which("gst-launch-1.0") or not has_elements(*elements):
        pytest.skip(f"needs GStreamer with {', '.join(elements)}: not there")


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write(sink, height=64, width=96):
    frame = np.full((height, width, 3), GREEN, np.uint8)
    ids = np.zeros((height, width), np.uint8)
    sink.write(Capture(frame, "x", 0.0), Segmentation(ids, (), {}))


def write_until(sink, condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        write(sink)
        sink.check()
        time.sleep(0.05)


def test_rtp_is_received_as_drawn():
    needs("x264enc", "rtph264pay", "udpsink", "udpsrc", "avdec_h264")
    port = free_port(socket.SOCK_DGRAM)
    caps = (
        "application/x-rtp,media=video,clock-rate=90000,encoding-name=H264,payload=96"
    )
    received = GstReader(
        f'udpsrc port={port} caps="{caps}" ! rtpjitterbuffer latency=50 '
        "! rtph264depay ! avdec_h264",
        in_time=False,
    )
    with received, open_sink(f"rtp://127.0.0.1:{port}", STYLE) as sink:
        assert sink.live
        frames = []
        reading = threading.Thread(target=lambda: frames.append(received.read()))
        reading.start()
        write_until(sink, lambda: not reading.is_alive())
        reading.join()
    assert frames[0].shape == (64, 96, 3)
    assert np.abs(frames[0].astype(int) - GREEN).mean() < 8


def test_rtp_sends_on_when_the_size_changes():
    needs("x264enc", "rtph264pay", "udpsink")
    with open_sink(f"rtp://127.0.0.1:{free_port()}", STYLE) as sink:
        for height, width in ((64, 96), (47, 33), (200, 100)) * 5:
            write(sink, height, width)
            time.sleep(0.05)
            sink.check()


@contextlib.contextmanager
def recording(port, folder):
    """An RTSP server that takes a stream at /live, run by the system's Python."""
    needs("rtspclientsink", "x264enc", "pngenc")
    python = shutil.which("python3", path="/usr/bin")
    probe = 'import gi; gi.require_version("GstRtspServer", "1.0")'
    if (
        not python
        or subprocess.run([python, "-c", probe], capture_output=True).returncode
    ):
        pytest.skip("needs python3-gi and gir1.2-gst-rtsp-server-1.0: not there")
    folder.mkdir(exist_ok=True)
    command = [python, "-c", RECORDER, str(port), str(folder / "%05d.png")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
        assert server.stdout.readline() == b"ready\n"
        yield
        server.kill()


def test_rtsp_is_taken_by_a_server(tmp_path):
    from PIL import Image

    port = free_port()
    with (
        recording(port, tmp_path),
        open_sink(f"rtsp://127.0.0.1:{port}/live", STYLE) as s,
    ):
        write_until(s, lambda: len(list(tmp_path.glob("*.png"))) > 3)
    picture = np.asarray(Image.open(tmp_path / "00001.png"))
    assert picture.shape == (64, 96, 3)
    assert np.abs(picture.astype(int) - GREEN).mean() < 8


def test_an_rtsp_server_may_be_late_go_away_and_come_back(tmp_path, caplog):
    needs("rtspclientsink", "x264enc")
    port = free_port()
    url = f"rtsp://eve:s3cret@127.0.0.1:{port}/live"

    def taken(folder):
        return len(list(folder.glob("*.png"))) > 3

    def connected():
        return sink.state["connected"]

    with open_sink(url, STYLE) as sink:
        assert sink.state == {"connected": False, "reconnects": 0, "error": None}
        write_until(sink, lambda: sink.state["error"])
        assert "connect" in sink.state["error"]
        with recording(port, tmp_path / "late"):
            write_until(sink, lambda: taken(tmp_path / "late") and connected(), 40)
            assert sink.state["error"] is None
        write_until(sink, lambda: not connected())
        with recording(port, tmp_path / "again"):
            write_until(sink, lambda: taken(tmp_path / "again") and connected(), 40)
        assert sink.state["reconnects"] >= 1  # a busy machine may lose it by itself
    words = [record.getMessage() for record in caplog.records]
    place = f"rtsp://127.0.0.1:{port}/live"
    kinds = [word.partition(place)[0] for word in words]
    assert kinds[0] == "waiting for "
    assert set(kinds[1::2]) == {"connected to "}
    assert set(kinds[2::2]) == {"lost "}
    assert words[-1] == f"connected to {place} again"
    assert not any("s3cret" in word or "\n" in word for word in words)


class Refusing(socketserver.StreamRequestHandler):
    """Answers every request of RTSP in one way."""

    def handle(self):
        while lines := list(iter(lambda: self.rfile.readline().strip(), b"")):
            number = next(v for v in lines if v.lower().startswith(b"cseq"))
            answer = [b"RTSP/1.0 401 Unauthorized", number]
            answer.append(b'WWW-Authenticate: Basic realm="edgeseg"')
            self.wfile.write(b"\r\n".join([*answer, b"", b""]))


def test_an_rtsp_server_that_refuses_the_password_is_an_error_at_once():
    needs("rtspclientsink", "x264enc")
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusing) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"rtsp://eve:s3cret@127.0.0.1:{server.server_address[1]}/live"
        try:
            with pytest.raises(RejectedError) as caught, open_sink(url, STYLE) as sink:
                write_until(sink, lambda: False)
        finally:
            server.shutdown()
    assert "nauthori" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_an_element_that_is_missing_is_an_error_at_once(monkeypatch):
    needs("x264enc")
    monkeypatch.setattr("edgeseg.runtime.sinks.rtsp.H264", "no_such_encoder")
    url = f"rtsp://127.0.0.1:{free_port()}/live"
    with (
        pytest.raises(MissingDriverError, match="no_such_encoder"),
        open_sink(url, STYLE) as sink,
    ):
        write_until(sink, lambda: False)


def test_a_receiver_of_rtp_may_get_its_name_late_and_lose_its_network(
    monkeypatch, caplog
):
    needs("x264enc", "rtph264pay", "udpsink")
    real, failure = rtp.numeric, [OutputError("Name or service not known")]

    def numeric(host, port):  # the name service and the routes of this test
        if failure:
            raise failure[0]
        return real("127.0.0.1", port)

    monkeypatch.setattr(rtp, "numeric", numeric)
    with open_sink(f"rtp://receiver.example:{free_port()}", STYLE) as sink:
        write_until(sink, lambda: sink.state["error"])
        assert sink.state["error"] == "Name or service not known"
        failure.clear()
        write_until(sink, lambda: sink.state["connected"])
        failure.append(OutputError("Network is unreachable"))
        write_until(sink, lambda: not sink.state["connected"])
        failure.clear()
        write_until(sink, lambda: sink.state["connected"])
    words = [record.getMessage().partition("rtp://")[0] for record in caplog.records]
    assert words == ["waiting for ", "connected to ", "lost ", "connected to "]


def test_a_name_without_an_address_is_no_place():
    with pytest.raises(OutputError):
        rtp.numeric("no-such-host.invalid", 5004)
    assert rtp.numeric("localhost", 5004) in ("127.0.0.1", "::1")


@pytest.fixture
def display():
    """A screen nobody sees."""
    if not shutil.which("Xvfb"):
        pytest.skip("needs the program Xvfb: not there")
    reading, writing = os.pipe()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "320x240x24"]
    with subprocess.Popen(command, pass_fds=[writing], **quiet) as server:
        os.close(writing)
        with os.fdopen(reading) as number:
            name = f":{number.readline().strip()}"
        yield name
        server.kill()


def test_a_window_shows_what_is_drawn(display, monkeypatch):
    needs("ximagesink", "ximagesrc")
    monkeypatch.setenv("DISPLAY", display)
    seen = GstReader(f"ximagesrc display-name={display}", in_time=False, fps=5.0)
    with seen, open_sink("window:ximagesink", STYLE) as sink:

        def green():
            frame = seen.read().astype(int)
            return (np.abs(frame - GREEN).max(axis=2) < 8).sum() >= 64 * 96

        write_until(sink, green)


def close_windows(display):
    """Ask every window to close, as a click on its cross does."""
    x11 = ctypes.CDLL(ctypes.util.find_library("X11"))
    x11.XOpenDisplay.restype = ctypes.c_void_p
    for function in (x11.XDefaultRootWindow, x11.XInternAtom):
        function.restype = ctypes.c_ulong
    screen = ctypes.c_void_p(x11.XOpenDisplay(display.encode()))
    if screen.value is None:  # a busy server; the caller tries again
        return
    root, parent, count = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_uint()
    windows = ctypes.POINTER(ctypes.c_ulong)()
    found = x11.XQueryTree(
        screen,
        ctypes.c_ulong(x11.XDefaultRootWindow(screen)),
        *map(ctypes.byref, (root, parent, windows, count)),
    )
    protocols, delete = (
        x11.XInternAtom(screen, name, 0)
        for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW")
    )
    for window in windows[: count.value] if found and windows else ():
        # XClientMessageEvent: type, serial, send_event, display, window, what, 32, data
        words = (33, 0, 1, screen.value, window, protocols, 32, delete)
        event = (ctypes.c_long * 24)(*words)
        x11.XSendEvent(screen, ctypes.c_ulong(window), 0, 0, ctypes.byref(event))
    x11.XCloseDisplay(screen)


def test_closing_the_window_ends_the_run_in_order(display, monkeypatch):
    needs("ximagesink")
    try:
        ctypes.CDLL(ctypes.util.find_library("X11") or "libX11.so.6")
    except OSError as error:  # an emulated interpreter finds this machine's
        pytest.skip(f"needs the library libX11: {error}")
    monkeypatch.setenv("DISPLAY", display)
    with open_sink("window:ximagesink", STYLE) as sink:

        def closed():
            close_windows(display)
            return sink.finished

        write_until(sink, closed)


def test_a_screen_that_goes_away_ends_the_run_with_one_line(display, monkeypatch):
    needs("ximagesink")
    monkeypatch.setenv("DISPLAY", ":93")  # no such screen
    with pytest.raises(EdgesegError) as caught, open_sink("window", STYLE) as sink:
        write_until(sink, lambda: False)
    assert "\n" not in str(caught.value)


def test_without_a_screen_there_is_one_line(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(InputError, match="no screen here"):
        open_sink("window", STYLE)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rtp://host", "expected a port"),
        ("rtp://", "expected an address"),
        ("rtp://host:0", "expected an address"),
        ("rtsp:///live", "expected an address"),
        ('rtp://ho"st:5004', "expected an address"),
        ("window:a b", "expected a GStreamer video sink"),
    ],
)
def test_an_output_that_is_none_is_one_line(text, words):
    with pytest.raises(InputError, match=words):
        open_sink(text, STYLE)
