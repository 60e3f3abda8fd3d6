"""The update entity of Home Assistant: what is installed, what is offered, the button.

Keys are those of its documentation: "MQTT Update"
(https://www.home-assistant.io/integrations/update.mqtt/).
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from edgeseg.runtime.json_text import json_text
from edgeseg.runtime.output.mqtt_discovery import OFFLINE, ONLINE

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.devices.types import Json
    from edgeseg.runtime.output.mqtt_broker import Broker
    from edgeseg.runtime.output.mqtt_discovery import Topics

INSTALL = "install"  # payload of the button
NOTHING = "none"  # the version where nothing is installed
_LONGEST_SUMMARY = 255  # characters that Home Assistant takes


class UpdateEntity:
    """What a broker is told of a model's updates, and asked for.

    Parameters
    ----------
    topics : Topics
        Those of the run whose model it is, so that both are one device.
    fleet : str
        Topic on which new models are announced, retained.
    device : str
        The device's name.
    title : str
        The model's name.
    on_announced, on_install : callable
        Called in the network thread, the first with a payload.
    """

    def __init__(
        self,
        topics: Topics,
        fleet: str,
        device: str,
        title: str,
        on_announced: Callable[[str], None],
        on_install: Callable[[], None],
    ) -> None:
        self._topics, self._fleet, self._title = topics, fleet, title
        self._device = device
        self._on_announced, self._on_install = on_announced, on_install
        self.state: Json = {}

    @property
    def will(self) -> tuple[str, str]:
        """What the broker says when this program is gone."""
        return self._availability, OFFLINE

    @property
    def retained_topics(self) -> frozenset[str]:
        """The topics whose kept message counts."""
        return frozenset({self._fleet})

    def topics(self) -> tuple[str, ...]:
        """Return where announcements and the button come from."""
        return self._fleet, self._topics.command("update")

    def obey(self, topic: str, payload: str) -> None:
        """Take an announcement, or the button; anything else is left alone."""
        if topic == self._fleet:
            self._on_announced(payload)
        elif payload == INSTALL:
            self._on_install()

    def greet(self, broker: Broker) -> None:
        """Tell a broker everything that it may have forgotten."""
        config = self._topics.config("update", "model")
        broker.publish(config, json_text(self.discovery()), retain=True)
        broker.publish(self._availability, ONLINE, retain=True)
        self.publish(broker)

    def publish(self, broker: Broker) -> None:
        """Say how it is."""
        if self.state:
            broker.publish(self._state_topic, json_text(self.state), retain=True)

    def show(
        self, installed: str | None, latest: str | None, summary: str, *, busy: bool
    ) -> bool:
        """Set what is said; return whether it is new.

        Parameters
        ----------
        installed, latest : str or None
            Versions; None where there is none.
        summary : str
            What happened last, in one line.
        busy : bool
            Whether an installation is under way.
        """
        before = self.state
        # Home Assistant takes no message that has null in place of a text
        self.state = {
            "installed_version": installed or NOTHING,
            "latest_version": latest or installed or NOTHING,
            "title": self._title,
            "release_summary": summary[:_LONGEST_SUMMARY],
            "in_progress": busy,
        }
        return self.state != before

    def discovery(self) -> Json:
        """Return the payload of the discovery topic."""
        program = version("edgeseg")
        return {
            "name": "Model",
            "unique_id": f"{self._topics.node}_model",
            "state_topic": self._state_topic,
            "command_topic": self._topics.command("update"),
            "payload_install": INSTALL,
            "availability_topic": self._availability,
            "payload_available": ONLINE,
            "payload_not_available": OFFLINE,
            "device": {
                "identifiers": [self._topics.node],
                "name": self._device,
                "manufacturer": "edgeseg",
            },
            "origin": {"name": "edgeseg", "sw_version": program},
        }

    @property
    def _state_topic(self) -> str:
        return f"{self._topics.prefix}/update"

    @property
    def _availability(self) -> str:
        return f"{self._topics.prefix}/update/availability"
