"""A real Home Assistant shows what a fleet's topic announces, and installs it."""

from __future__ import annotations

import pytest
from home_assistant import HomeAssistant, find_program
from model_server import announcement
from mqtt_broker import FLEET, soon
from noted import note

from edgeseg.runtime.model.embedded import sha256

pytest.importorskip("paho.mqtt.client", reason="needs the extra `mqtt`")
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        find_program() is None, reason="no Home Assistant: EDGESEG_HASS=.../bin/hass"
    ),
]


_SHOWN = ("installed_version", "latest_version", "in_progress", "release_summary")


class Entity:
    """The update entity of the board."""

    def __init__(self, home):
        self.home, self.seen = home, []
        soon(lambda: home.entities("update"))
        (self.id,) = home.entities("update")

    def wait(self, state, **attributes):
        """Wait until it has a state and some attributes; return what it shows."""
        seen = {}

        def is_so():
            found = self.home.entities("update")[self.id]
            seen.update(found)
            shown = {key: found["attributes"].get(key) for key in _SHOWN}
            if self.seen[-1:] != [{"state": found["state"], **shown}]:
                self.seen.append({"state": found["state"], **shown})
            return found["state"] == state and attributes.items() <= (
                found["attributes"].items()
            )

        try:
            soon(is_so)
        except AssertionError as error:
            raise AssertionError(f"{state} {attributes}, but it is {seen}") from error
        return seen["attributes"]


def test_its_update_entity_installs_what_was_announced(
    follow, board, variants, server, broker, listener, tmp_path
):
    follow()
    with HomeAssistant(tmp_path / "home", broker.port) as home:
        entity = Entity(home)
        entity.wait("off", installed_version="1", latest_version="1")

        good = announcement(server, variants["second"], "2")
        listener.publish(FLEET, good, retain=True)
        shown = entity.wait("on", installed_version="1", latest_version="2")
        assert shown["title"] == "door"
        assert shown["in_progress"] is False
        assert board.in_use() == sha256(variants["first"])  # nobody has asked yet

        home.call("update", "install", entity.id)
        shown = entity.wait("off", installed_version="2", in_progress=False)
        assert shown["latest_version"] == "2"
        assert board.in_use() == sha256(variants["second"])

        wrong = announcement(server, variants["third"], "3", sha256="0" * 64)
        listener.publish(FLEET, wrong, retain=True)
        entity.wait("on", installed_version="2", latest_version="3")
        home.call("update", "install", entity.id)
        soon(lambda: "sha256" in str(entity.wait("on")["release_summary"]))
        shown = entity.wait("on", installed_version="2", in_progress=False)
        assert shown["release_summary"].startswith("not installed: ")
        assert board.in_use() == sha256(variants["second"])

        # an older one is offered too: how a fleet goes back
        first = announcement(server, variants["first"], "1")
        listener.publish(FLEET, first, retain=True)
        older = f"1 ({sha256(variants['first'])[:12]})"
        entity.wait("on", installed_version="2", latest_version=older)
        home.call("update", "install", entity.id)
        entity.wait("off", installed_version="1", latest_version="1")
        assert board.in_use() == sha256(variants["first"])

        listener.publish(FLEET, good, retain=True)
        entity.wait("on", installed_version="1", latest_version="2")
        listener.publish(FLEET, "", retain=True)  # taken back
        entity.wait("off", installed_version="1", latest_version="1")
        note("home_assistant", {"version": home.version, "states": entity.seen})
