"""Events on their way out: a file, a real HTTP server, a program."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from edgeseg.devices import InputError
from edgeseg.runtime import Capture, Event, Manifest, Segmentation, Style, Zone
from edgeseg.runtime.output.event_queue import WAITING, EventQueue, NotNowError
from edgeseg.runtime.output.open import open_sink
from edgeseg.runtime.sinks import command
from edgeseg.runtime.zones.events import Watched

ZONE = Zone("door", ((0, 0), (1, 0), (1, 1)))
STYLE = Style(Manifest(labels=("background", "person")), zones=(ZONE,))


def event(kind="enter", count=1):
    return Event(kind, "door", 1, "person", 2.5, 2.0, 1_700_000_000.25, count=count)


def write(sink, *events):
    ids = np.zeros((4, 6), np.uint8)
    watched = Watched(events=events)
    capture = Capture(np.zeros((4, 6, 3), np.uint8), "x", 2.5)
    sink.write(capture, Segmentation(ids, (), {}, watched))


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


class Receiver:
    """An HTTP server that keeps what is posted and answers as it is told."""

    def __init__(self, port=0):
        receiver = self
        self.posts, self.answers = [], []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.posts.append((self.path, dict(self.headers), body))
                status = receiver.answers.pop(0) if receiver.answers else 204
                self.send_response(status)
                self.send_header("location", "http://127.0.0.1:9/elsewhere")
                self.end_headers()

            def log_message(self, *said):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def counts(self):
        return [json.loads(body)["count"] for _, _, body in self.posts]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver(leaves_nothing):
    with contextlib.closing(Receiver()) as started:
        yield started


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_file_gets_a_line_for_each_event_and_later_runs_add_to_it(tmp_path):
    path = tmp_path / "door.jsonl"
    for kinds in (("enter", "count"), ("leave",)):
        with open_sink(f"events:{path}", STYLE) as sink:
            write(sink)
            write(sink, *(event(kind) for kind in kinds))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["event_type"] for line in lines] == ["enter", "count", "leave"]
    assert lines[0] == {
        "event_type": "enter",
        "zone": "door",
        "class": "person",
        "class_id": 1,
        "time": "2023-11-14T22:13:20.250+00:00",
        "time_s": 2.5,
        "since_s": 2.0,
        "count": 1,
    }


@pytest.mark.parametrize(
    "sink", ["events:a.jsonl", "webhook:http://a/b", "command:cat"]
)
def test_without_zones_and_lines_there_would_be_no_events(sink):
    with pytest.raises(InputError, match=r"expected zones or lines, .* --zone, --line"):
        open_sink(sink, Style(Manifest()))


def test_a_webhook_gets_each_event_with_the_token(receiver, monkeypatch):
    monkeypatch.setenv("EDGESEG_WEBHOOK_TOKEN", "s3cret")
    url = f"http://127.0.0.1:{receiver.port}/hook/42?key=1#kinds=enter,leave"
    with open_sink(f"webhook:{url}", STYLE) as sink:
        write(sink, event("enter"), event("count"), event("leave"))
    assert [json.loads(body)["event_type"] for _, _, body in receiver.posts] == [
        "enter",
        "leave",
    ]
    path, headers, _ = receiver.posts[0]
    headers = {key.lower(): value for key, value in headers.items()}
    assert path == "/hook/42?key=1"
    assert headers["authorization"] == "Bearer s3cret"
    assert headers["content-type"] == "application/json"
    assert sink.state["sent"] == 2


def test_what_is_not_taken_now_is_tried_again_in_order(receiver, caplog):
    receiver.answers = [503, 429]
    with open_sink(f"webhook:http://127.0.0.1:{receiver.port}/", STYLE) as sink:
        sink._queue._pauses_s = 0.05, 0.1
        write(sink, event(count=1), event(count=2))
        until(lambda: sink.state["sent"] == 2)
        assert receiver.counts() == [1, 1, 1, 2]
        assert sink.state == {
            "connected": True,
            "reconnects": 1,
            "error": None,
            "sent": 2,
            "dropped": 0,
        }
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "webhook 127.0.0.1: it answers 503: trying again",
        "webhook 127.0.0.1 takes events again",
    ]


def test_what_is_refused_is_dropped_and_counted_and_redirects_are_not_followed(
    receiver, caplog
):
    receiver.answers = [404, 302]
    with open_sink(f"webhook:http://127.0.0.1:{receiver.port}/", STYLE) as sink:
        write(sink, event(count=1), event(count=2), event(count=3))
        until(lambda: sink.state["sent"] == 1)
        assert sink.state["dropped"] == 2
    assert receiver.counts() == [1, 2, 3]
    assert "webhook 127.0.0.1: it answers 404 to an event" in caplog.text


def test_a_receiver_that_is_late_gets_what_has_waited(leaves_nothing):
    port = free_port()
    with open_sink(f"webhook:http://127.0.0.1:{port}/", STYLE) as sink:
        sink._queue._pauses_s = 0.05, 0.1
        for count in range(3):
            write(sink, event(count=count))
        until(lambda: sink.state["error"])
        assert not sink.state["connected"]
        with contextlib.closing(Receiver(port)) as receiver:
            until(lambda: sink.state["sent"] == 3)
            assert receiver.counts() == [0, 1, 2]


def test_a_run_never_waits_and_the_oldest_events_are_dropped(leaves_nothing, caplog):
    with socket.socket() as silent:  # takes connections and never answers
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        sink = open_sink(f"webhook:http://127.0.0.1:{port}/", STYLE)
        began = time.monotonic()
        for count in range(WAITING + 10):
            write(sink, event(count=count))
        assert time.monotonic() - began < 5  # two thousand times what it takes
        assert sink.state["dropped"] == 10
    sink.close()
    assert sink.state["dropped"] == WAITING + 10
    assert f"{WAITING + 10} events were not delivered" in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ftp://a/b",
        "https://",
        "https://a:0/b",
        "https://a:99999/",
        "https://eve:secret@a/",
        "https://a/b c",
        "https://a/\xe9",
        "https://a/\r\nx",
        "https://[a/",
    ],
)
def test_what_is_no_address_is_refused_without_showing_it(text):
    with pytest.raises(
        InputError, match="webhook: expected https://HOST/PATH"
    ) as error:
        open_sink(f"webhook:{text}", STYLE)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("kinds=enter,come", "kinds: expected some of enter,leave,.* got 'come'"),
        ("kind=enter", "unknown option 'kind' after #; known: kinds"),
    ],
)
def test_unknown_options_of_a_webhook_are_named(options, message):
    with pytest.raises(InputError, match=message):
        open_sink(f"webhook:http://a/b#{options}", STYLE)


def script(folder, text):
    path = folder / "notify.sh"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_a_program_gets_each_event_on_its_input(tmp_path, leaves_nothing, monkeypatch):
    monkeypatch.setenv("EDGESEG_TOKEN", "hidden-from-it")
    path = script(tmp_path, f'cat >> {tmp_path}/out; echo "$1:$EDGESEG_TOKEN" >> "$2"')
    with open_sink(f"command:{path} 'a  b; true' {tmp_path}/args", STYLE) as sink:
        write(sink, event("enter"), event("leave"))
        until(lambda: sink.state["sent"] == 2)
    lines = (tmp_path / "out").read_text().splitlines()
    assert [json.loads(line)["event_type"] for line in lines] == ["enter", "leave"]
    assert (tmp_path / "args").read_text() == "a  b; true:\na  b; true:\n"


def test_a_program_that_fails_or_hangs_is_counted_and_does_not_stop_others(
    tmp_path, leaves_nothing, monkeypatch, caplog
):
    monkeypatch.setattr(command, "TIMEOUT_S", 0.5)
    path = script(
        tmp_path, 'read line; case "$line" in *leave*) sleep 60 & wait;; esac'
    )
    with open_sink(f"command:{path}", STYLE) as sink:
        write(sink, event("leave"), event("enter"))
        until(lambda: sink.state["sent"] == 1)
        assert sink.state["dropped"] == 1
    assert "command notify.sh: was killed after 0.5 s" in caplog.text
    with open_sink("command:false", STYLE) as sink:
        write(sink, event())
        until(lambda: sink.state["dropped"] == 1)
    assert "command false: ended with exit status 1" in caplog.text


@pytest.mark.parametrize("text", ["", "no-such-program-here", "'a", "/etc/passwd"])
def test_what_cannot_be_started_is_refused(text):
    if text == "/etc/passwd" and os.access(text, os.X_OK):
        pytest.skip("it can be")
    with pytest.raises(InputError, match="command: expected"):
        open_sink(f"command:{text}", STYLE)


def test_pauses_grow_and_the_end_does_not_wait_for_them(caplog):
    tried = []

    def refuse(event):
        tried.append(time.monotonic())
        raise NotNowError("not now")

    caplog.set_level(logging.WARNING)
    queue = EventQueue(refuse, "test", pauses_s=(0.05, 0.4))
    queue.put(event())
    until(lambda: len(tried) >= 5)
    began = time.monotonic()
    queue.close()
    assert time.monotonic() - began < 2
    gaps = np.diff(tried)
    assert gaps[2] > gaps[0]
    assert gaps[3] >= 0.4
    assert caplog.text.count("not now") == 1
