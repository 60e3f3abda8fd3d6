"""Home Assistant's update entity, a real broker, and updates over HTTP."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest
from model_server import announcement
from mqtt_broker import FLEET, PREFIX, soon

from edgeseg.devices import InputError
from edgeseg.runtime.installation.announcement import Announcement
from edgeseg.runtime.model.embedded import sha256

pytest.importorskip("paho.mqtt.client", reason="needs the extra `mqtt`")

# of an update, from Home Assistant's documentation
KEYS = {
    *("name", "unique_id", "state_topic", "command_topic", "payload_install"),
    *("availability_topic", "payload_available", "payload_not_available"),
    *("device", "origin"),
}


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
    listener.publish(FLEET, announcement(server, variants["second"], "2"), retain=True)
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
    # of a message with null Home Assistant takes nothing
    assert not [state for state in states(listener) if None in state.values()]
    assert board.in_use() == sha256(variants["second"])
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    soon(lambda: listener.on(entity["availability_topic"])[-1] == "offline")


def test_one_that_falls_short_says_why_and_changes_nothing(
    follow, board, variants, server, listener
):
    follow("--automatic", "--delay", "0")
    missing = {"url": f"{server.url}/missing.tflite"}
    for name, more, expected in (
        ("blinded", {}, "the labels change"),
        ("third", missing, "404"),
        ("third", {"sha256": "0" * 64}, "sha256"),
    ):
        offer = announcement(server, variants[name], name, **more)
        listener.publish(FLEET, offer, retain=True)
        soon(
            lambda expected=expected: any(
                expected in (state["release_summary"] or "")
                and not state["in_progress"]
                for state in states(listener)
            )
        )
        assert board.in_use() == sha256(variants["first"])
    shown = f"third ({'0' * 12})"  # no number that is higher
    state = last(listener, installed_version="1", latest_version=shown)
    assert state["release_summary"].startswith("not installed: ")
    good = announcement(server, variants["second"], "2")
    listener.publish(FLEET, good, retain=True)
    last(listener, installed_version="2", latest_version="2")


def test_a_delay_is_over_for_who_asks(follow, board, variants, server, listener):
    follow("--automatic", "--delay", "86400")
    listener.publish(FLEET, announcement(server, variants["second"], "2"), retain=True)
    state = last(listener, installed_version="1", latest_version="2")
    assert "will be installed in" in state["release_summary"]
    assert server.asked == []
    listener.publish(FLEET, "", retain=True)  # taken back
    last(listener, latest_version="1")
    third = announcement(server, variants["third"], "3")
    listener.publish(FLEET, third, retain=True)
    last(listener, latest_version="3")
    listener.publish(f"{PREFIX}/update/set", "install")
    last(listener, installed_version="3", latest_version="3")
    assert board.in_use() == sha256(variants["third"])
    assert server.asked == ["/third.tflite"]


def test_a_delay_is_of_what_is_automatic(board):
    address = "mqtt://127.0.0.1/edgeseg/door?update=edgeseg/fleet"
    result = board.call("follow", address, "--name", "door", "--delay", "9")
    assert result.exit_code == 1
    assert "--delay needs --automatic" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_what_is_no_offer_is_left_alone(follow, board, variants, server, listener):
    follow("--automatic", "--delay", "0")
    last(listener, installed_version="1")
    yard = json.loads(announcement(server, variants["second"], "2")) | {"name": "yard"}
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
