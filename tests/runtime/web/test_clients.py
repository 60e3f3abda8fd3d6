from __future__ import annotations

import asyncio
import logging
import socket
import threading
from urllib.parse import urlsplit

import numpy as np
import pytest

from edgeseg.devices import InputError
from edgeseg.runtime import Capture, Segmentation
from edgeseg.runtime.drawing.look import Look
from edgeseg.runtime.web import stream
from edgeseg.runtime.web.feed import PageFeed

TOKEN = "a-token-of-this-test"


def connect(live, path="/stream.mjpg"):
    """Return a socket that has asked for a path."""
    place = urlsplit(live.sink.url)
    client = socket.create_connection((place.hostname, place.port), timeout=10)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode())
    return client


def watching(live):
    return live.state()["streams"]["watching"]


def test_the_stream_is_read_by_our_own_source(live):
    from edgeseg.runtime.capture.open import open_source

    with open_source(f"{live.sink.url}stream.mjpg") as source:
        captures = source.captures()
        frames = [next(captures).frame for _ in range(5)]
    assert {frame.shape for frame in frames} == {(120, 160, 3)}
    assert not np.array_equal(frames[0], frames[-1])


def test_every_part_tells_its_length(live):
    import http.client

    place = urlsplit(live.sink.url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=10)
    connection.request("GET", "/stream.mjpg")
    answer = connection.getresponse()
    boundary = answer.getheader("content-type").partition("boundary=")[2].encode()
    for _ in range(3):
        assert answer.readline() == b"--" + boundary + b"\r\n"
        assert answer.readline() == b"Content-Type: image/jpeg\r\n"
        length = int(answer.readline().removeprefix(b"Content-Length: "))
        assert answer.readline() == b"\r\n"
        jpeg = answer.read(length)
        assert (jpeg[:2], jpeg[-2:]) == (b"\xff\xd8", b"\xff\xd9")
        assert answer.readline() == b"\r\n"
    connection.close()


def test_streams_over_the_limit_get_503_at_once_and_places_become_free(live, until):
    until(lambda: watching(live) == 0)
    clients = [connect(live) for _ in range(3)]
    until(lambda: watching(live) == 3)
    answer, _ = live.ask("/stream.mjpg")
    assert (answer.status, answer.getheader("retry-after")) == (503, "5")
    for client in clients:
        client.close()
    until(lambda: watching(live) == 0)
    client = connect(live)
    assert client.recv(15) == b"HTTP/1.1 200 OK"
    client.close()


def ask_slowly(live):
    """Return a socket that has asked for a change whose content does not come."""
    place = urlsplit(live.sink.url)
    client = socket.create_connection((place.hostname, place.port), timeout=10)
    head = "Content-Type: application/json\r\nContent-Length: 9\r\n\r\n"
    client.sendall(
        f"POST /api/look HTTP/1.1\r\nHost: {place.netloc}\r\n{head}".encode()
    )
    return client


def test_connections_over_the_limit_get_503_and_the_run_goes_on(live, until):
    from edgeseg.runtime.web.gate import CONNECTIONS

    busy = [ask_slowly(live) for _ in range(CONNECTIONS - 1)]
    before = live.meter.read().frames

    def full():
        busy.append(ask_slowly(live))  # the last one may be cut before it is read
        return live.ask("/api/state")[0].status == 503

    until(full)
    answer, _ = live.ask("/api/state")
    assert (answer.status, answer.getheader("retry-after")) == (503, "5")
    until(lambda: live.meter.read().frames > before + 5)
    for client in busy:
        client.close()
    until(lambda: live.ask("/api/state")[0].status == 200)


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x", b"\0"])
def test_who_only_connects_keeps_nobody_out(live, until, sent):
    watcher = connect(live)
    until(lambda: watching(live) == 1)
    place = urlsplit(live.sink.url)
    idle = []
    for _ in range(200):
        idle.append(socket.create_connection((place.hostname, place.port), timeout=10))
        idle[-1].sendall(sent)
    for _ in range(5):
        assert live.ask("/api/state")[0].status == 200
    assert watching(live) == 1
    assert watcher.recv(15) == b"HTTP/1.1 200 OK"
    watcher.close()
    for client in idle:
        client.close()


def test_a_request_that_drips_in_is_cut_off(start, until, monkeypatch):
    from edgeseg.runtime.web import connections, server

    monkeypatch.setattr(connections, "HEAD_S", 0.5)
    monkeypatch.setattr(server, "_SWEEP_S", 0.1)
    live = start()
    place = urlsplit(live.sink.url)
    client = socket.create_connection((place.hostname, place.port), timeout=10)

    def is_cut():
        try:
            client.sendall(b"G")
            client.settimeout(0.05)
            return client.recv(1) == b""
        except TimeoutError:
            return False
        except OSError:
            return True

    until(is_cut)
    assert live.ask("/api/state")[0].status == 200
    client.close()


def test_a_client_that_never_reads_is_dropped_while_others_watch(
    start, until, monkeypatch
):
    monkeypatch.setattr(stream, "_SEND_LIMIT_S", 0.5)
    live = start("web:127.0.0.1:0?fps=60")
    place = urlsplit(live.sink.url)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect((place.hostname, place.port))
    client.sendall(
        f"GET /stream.mjpg HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode()
    )
    until(lambda: watching(live) == 1)
    frame = np.random.default_rng(0).integers(0, 256, (720, 960, 3), np.uint8)
    ids = np.zeros((720, 960), np.uint8)
    segmentation = Segmentation(ids, (), {})
    live.goes.clear()

    def gone():
        live.sink.write(Capture(frame, "big", 0.0), segmentation)
        return watching(live) == 0

    until(gone, 30)
    live.goes.set()
    before = live.meter.read().frames
    until(lambda: live.meter.read().frames > before + 5)
    client.close()


def test_closing_lets_go_of_all_who_are_connected(start, until):
    before = set(threading.enumerate())
    live = start()
    clients = [connect(live), connect(live), connect(live, "/api/look")]
    until(lambda: watching(live) == 2)
    live.sink.close()
    live.sink.close()
    left = set(threading.enumerate()) - before
    assert not [thread for thread in left if thread.name == "edgeseg-web"]
    for client in clients:
        try:
            while client.recv(65536):
                pass
        except ConnectionResetError:
            pass  # cut, which is as good
        client.close()


def test_a_token_is_asked_for_and_never_told(start, caplog):
    caplog.set_level(logging.DEBUG)
    live = start(f"web:127.0.0.1:0?token={TOKEN}")
    assert live.ask("/api/state")[0].status == 401
    assert live.ask("/?token=wrong")[0].status == 401
    assert live.ask("/stream.mjpg")[0].status == 401
    assert live.ask("/api/state", authorization="Bearer wrong")[0].status == 401
    answer, content = live.ask("/api/state", authorization=f"Bearer {TOKEN}")
    assert answer.status == 200
    assert live.ask(f"/snapshot.jpg?token={TOKEN}")[0].status == 200
    answer, _ = live.ask(f"/?token={TOKEN}")
    cookie = answer.getheader("set-cookie")
    assert (answer.status, answer.getheader("location")) == (303, "./")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    value = cookie.partition(";")[0]
    assert live.ask("/snapshot.jpg", cookie=value)[0].status == 200
    assert live.ask("/snapshot.jpg", cookie=value[:-1] + "x")[0].status == 401
    assert TOKEN not in cookie + content.decode() + caplog.text


def test_with_a_token_every_name_of_this_machine_is_taken(start):
    live = start(f"web:0.0.0.0:0?token={TOKEN}")
    for host in ("board.local", "a:b:c", "["):
        assert live.ask("/", host=host)[0].status == 401
        shown = {"authorization": f"Bearer {TOKEN}", "host": host}
        assert live.ask("/api/state", **shown)[0].status == 200


def pictures_of(draws, frames, watchers):
    """Publish frames to watchers and return what they got."""

    async def play():
        def draw(capture, segmentation, look):
            draws.append(look)
            return capture.frame

        table = np.zeros((256, 3), np.uint8)
        feed = PageFeed(draw, Look(), table, fps=60, quality=80)
        feed.attach()
        work = asyncio.ensure_future(feed.run())
        numbers = [feed.join() for _ in range(watchers)]
        for shade in range(frames):
            frame = np.full((8, 8, 3), shade, np.uint8)
            ids = np.zeros((8, 8), np.uint8)
            feed.publish(Capture(frame, "a", 0.0), Segmentation(ids, (), {}))
        waiting = [feed.picture_after(number) for number in numbers]
        got = await asyncio.gather(*waiting)
        await asyncio.sleep(0.05)
        work.cancel()
        feed.close()
        return got

    return asyncio.run(play())


def test_nothing_is_drawn_while_nobody_watches():
    draws = []
    pictures_of(draws, frames=5, watchers=0)
    assert draws == []


def test_a_frame_is_encoded_once_for_all_who_watch():
    draws = []
    got = pictures_of(draws, frames=5, watchers=4)
    assert len(draws) == 1
    assert len({id(picture.jpeg) for picture in got}) == 1


def test_a_frame_that_cannot_be_drawn_is_told_and_the_next_one_is_shown(
    live, until, monkeypatch
):
    def fail(capture, segmentation, look):
        raise InputError("not today")

    client = connect(live)
    with monkeypatch.context() as patch:
        patch.setattr(live.sink._feed, "_draw", fail)
        until(lambda: live.state()["failure"] == "not today")
    until(lambda: live.state()["failure"] is None)
    client.close()
