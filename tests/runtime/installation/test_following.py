"""Home Assistant's update entity, a real broker, and updates over HTTP."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest
from model_server import ModelServer
from mqtt_broker import soon

from edgeseg.devices import InputError
from edgeseg.runtime.installation.announcement import Announcement
from edgeseg.runtime.model.embedded import sha256

pytest.importorskip("paho.mqtt.client", reason="needs the extra `mqtt`")

PREFIX, FLEET = "edgeseg/door", "edgeseg/fleet"
# of an update, from Home Assistant's documentation
KEYS = {
    *("name", "unique_id", "state_topic", "command_topic", "payload_install"),
    *("availability_topic", "payload_available", "payload_not_available"),
    *("device", "origin"),
}


@pytest.fixture
def server(variants):
    files = {f"/{name}.tflite": path.read_bytes() for name, path in variants.items()}
    with ModelServer(b"", files) as server:
        yield server


@pytest.fixture
def follow(board, variants, broker, tmp_path):
    """Return what starts the command; the first model is installed."""
    assert board.install(variants["first"], "--version", "1").exit_code == 0
    started = []

    def start(*words):
        address = f"mqtt://127.0.0.1:{broker.port}/{PREFIX}?update={FLEET}"
        call = [sys.executable, "-m", "edgeseg", "model", "follow", address]
        call += ["--name", "door", "--pictures", board.pictures, *words]
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen(list(map(str, call)), stderr=log)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def offer(server, variants, name, version, **more):
    url, digest = f"{server.url}/{name}.tflite", sha256(variants[name])
    values = {"name": "door", "url": url, "version": version, "sha256": digest}
    return json.dumps({**values, **more})


def states(listener):
    return [json.loads(text) for text in listener.on(f"{PREFIX}/update")]


def last(listener, **expected):
    """Wait until the newest state has some values."""

    def is_so():
        found = states(listener)[-1:]
        return bool(found) and expected.items() <= found[0].items()

    soon(is_so)
    return states(listener)[-1]


def test_the_button_installs_what_was_announced(
    follow, board, variants, server, listener
):
    listener.publish(FLEET, offer(server, variants, "second", "2"), retain=True)
    process = follow()
    state = last(listener, installed_version="1", latest_version="2")
    assert state["in_progress"] is False
    soon(lambda: "update/model" in listener.entities())
    entity = listener.entities()["update/model"]
    assert set(entity) == KEYS
    assert board.in_use() == sha256(variants["first"])  # nobody asked for it yet
    listener.publish(entity["command_topic"], "rm -rf /")
    listener.publish(entity["command_topic"], entity["payload_install"])
    last(listener, installed_version="2", latest_version="2", in_progress=False)
    assert sorted({state["in_progress"] for state in states(listener)})[1:] == [True]
    assert board.in_use() == sha256(variants["second"])
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    soon(lambda: listener.on(entity["availability_topic"])[-1] == "offline")


def test_one_that_falls_short_says_why_and_changes_nothing(
    follow, board, variants, server, listener
):
    follow("--automatic")
    for name, more, expected in (
        ("blinded", {}, "the labels change"),
        ("missing", {}, "404"),
        ("third", {"sha256": "0" * 64}, "sha256"),
    ):
        known = {**variants, "missing": variants["third"]}
        listener.publish(FLEET, offer(server, known, name, name, **more), retain=True)
        soon(
            lambda expected=expected: any(
                expected in (state["release_summary"] or "")
                and not state["in_progress"]
                for state in states(listener)
            )
        )
        assert board.in_use() == sha256(variants["first"])
    state = last(listener, installed_version="1", latest_version="third")
    assert state["release_summary"].startswith("not installed: ")
    good = offer(server, variants, "second", "2")
    listener.publish(FLEET, good, retain=True)
    last(listener, installed_version="2", latest_version="2")


def test_what_is_no_offer_is_left_alone(follow, board, variants, server, listener):
    follow("--automatic")
    last(listener, installed_version="1")
    yard = json.loads(offer(server, variants, "second", "2")) | {"name": "yard"}
    listener.publish(FLEET, json.dumps(yard), retain=True)  # another camera's
    listener.publish(FLEET, '{"command": "reboot"}', retain=True)
    soon(
        lambda: "expected an announc" in (states(listener)[-1]["release_summary"] or "")
    )
    assert server.asked == []
    assert board.in_use() == sha256(variants["first"])
    assert not (board.store / "yard").exists()


def test_a_run_says_which_model_it_has(board, variants, broker, listener):
    assert board.install(variants["first"], "--version", "1").exit_code == 0
    output = f"mqtt://127.0.0.1:{broker.port}/{PREFIX}"
    call = [sys.executable, "-m", "edgeseg", "run"]
    for model, name, version in (
        ("door", "door", "1"),
        (str(variants["third"]), "third", None),
    ):
        words = [model, "synthetic:64x48,frames=2", "-o", output]
        subprocess.run([*call, *words], check=True, stdout=subprocess.DEVNULL)
        soon(
            lambda name=name: [
                text for text in listener.on(f"{PREFIX}/model") if name in text
            ]
        )
        told = json.loads(listener.on(f"{PREFIX}/model")[-1])
        digest = sha256(variants["first" if version else "third"])
        assert told == {"name": name, "version": version, "sha256": digest}


GOOD = {"name": "door", "url": "https://a/b.tflite", "sha256": "0" * 64, "version": "2"}


@pytest.mark.parametrize(
    "change",
    [
        {"url": "file:///etc/passwd"},
        {"url": "https://"},
        {"url": "/etc/passwd"},
        {"name": "../door"},
        {"sha256": "0"},
        {"version": ""},
        {"version": "\x1b[2J"},
        {"version": 2},
        {"version": "2" * 65},
        {"signature": "signature"},
        {"command": "reboot"},
    ],
)
def test_an_announcement_with_anything_else_is_refused(change):
    assert Announcement.parse(json.dumps(GOOD)).version == "2"
    with pytest.raises(InputError):
        Announcement.parse(json.dumps({**GOOD, **change}))


@pytest.mark.parametrize("text", ["", "[]", "{", "null", "[" * 9000, " " * 9000])
def test_what_is_no_json_object_is_refused(text):
    with pytest.raises(InputError, match="announcement"):
        Announcement.parse(text)


@pytest.mark.parametrize(
    "address",
    [
        "mqtt://127.0.0.1/door",
        "mqtt://127.0.0.1?update=fleet",
        "http://127.0.0.1/door?update=fleet",
        "mqtt://127.0.0.1/door?update=fleet/%23",
        "mqtt://127.0.0.1/do+or?update=fleet",
        "mqtt://127.0.0.1/door?update=fleet&else=1",
    ],
)
def test_addresses_that_cannot_be_followed(board, address):
    result = board.call("follow", address, "--name", "door")
    assert result.exit_code == 1
    assert "mqtt" in result.stderr
    assert len(result.stderr.splitlines()) == 1
