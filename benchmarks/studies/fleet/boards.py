"""Simulated boards: each with the two MQTT connections that a real one has.

Topics and payloads are those of `edgeseg run -o mqtt://` and `edgeseg model follow`,
made by the code that makes them there. No picture is segmented and no model is
installed: an announcement is checked, and its version is called installed then.
"""

from __future__ import annotations

import random
import selectors
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edgeseg.runtime.installation.announcement import Announcement
from edgeseg.runtime.json_text import json_text
from edgeseg.runtime.output.mqtt_discovery import OFFLINE, ONLINE, Topics, discovery
from edgeseg.runtime.output.mqtt_update import UpdateEntity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from edgeseg.devices.types import Json

FLEET = "edgeseg/fleet"  # topic of announcements
_KEEPALIVE_S = 15  # as edgeseg has it
_LABELS = {1: "person", 2: "cat", 3: "dog"}
_SUMMED = {"p50": 31.2, "p90": 35.9}
# of a run with three classes, as it was seen on a broker
_STATE: Json = {
    "areas": {"1": 12.31, "2": 3.02},
    "classes": ["background", "person", "cat"],
    "temperature_c": 51.2,
    "connected": True,
    "fps": 10.0,
    "frames": 123456,
    "dropped": 12,
    "latency_ms": _SUMMED,
    "age_ms": _SUMMED,
    "paused": False,
    "effect": "overlay",
    "disk_full": None,
}


class Connection:
    """One client, whose socket somebody else waits for.

    Parameters
    ----------
    name : str
        Its identifier.
    port : int
        Of the broker on this machine.
    will : (str, str)
        Topic and payload.
    greet : callable
        Called with this when the broker has taken it.
    hear : callable
        Called with the payload of a message of the fleet.
    """

    def __init__(
        self,
        name: str,
        port: int,
        will: tuple[str, str],
        greet: Callable[[Connection], None],
        hear: Callable[[str], None] | None = None,
    ) -> None:
        self.connected, self.sent, self.bytes = False, 0, 0
        self._port = port
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, name, protocol=MQTTProtocolVersion.MQTTv5
        )
        self._client.will_set(*will, qos=1, retain=True)

        def greeted(*_: object) -> None:
            self.connected = True
            if hear is not None:
                self._client.subscribe(FLEET, qos=1)
            greet(self)

        def heard(_: object, __: object, message: paho.MQTTMessage) -> None:
            if hear is not None:
                hear(message.payload.decode())

        self._client.on_connect = greeted
        self._client.on_message = heard

    def open(self) -> None:
        """Connect."""
        self._client.connect("127.0.0.1", self._port, _KEEPALIVE_S)

    def close(self) -> None:
        """Go without a word, as a board that loses its power."""
        sock = self._client.socket()
        if sock is not None:
            sock.close()
        self.connected = False

    def publish(self, topic: str, payload: str, **how: object) -> None:
        """Publish, as `Broker` does."""
        data = payload.encode()
        retain = bool(how.get("retain", False))
        self._client.publish(topic, data, int(retain), retain)
        self.sent += 1
        self.bytes += len(topic.encode()) + len(data)

    @property
    def client(self) -> paho.Client:
        """What the loop calls."""
        return self._client


@dataclass
class Board:
    """One board: its run, and what follows the fleet's topic.

    Parameters
    ----------
    number : int
        Of the board.
    port : int
        Of the broker.
    every_s : float
        Between two states of the run.
    """

    number: int
    port: int
    every_s: float
    version: str = "1"
    next_s: float = field(default=0.0)
    states: int = 0

    def __post_init__(self) -> None:
        name = f"board-{self.number:05}"
        topics = Topics(f"edgeseg/{name}")
        self._topics = topics
        self.next_s = time.monotonic() + random.random() * self.every_s
        self.entity = UpdateEntity(
            topics, FLEET, name, "door", self._hear, lambda: None
        )
        self.entity.show(self.version, None, "", busy=False)
        self.run = Connection(
            f"{name}-run", self.port, (topics.availability, OFFLINE), self._greet
        )
        self.follower = Connection(
            f"{name}-follow",
            self.port,
            self.entity.will,
            self.entity.greet,  # type: ignore[arg-type] # publishes as a Broker does
            self._hear,
        )

    @property
    def connections(self) -> tuple[Connection, Connection]:
        """Both of them."""
        return self.run, self.follower

    def tick(self, now: float) -> None:
        """Publish the state if it is time to."""
        if self.run.connected and now >= self.next_s:
            self.next_s = now + self.every_s
            self.states += 1
            self.run.publish(self._topics.state, json_text(_STATE))

    @property
    def greeting(self) -> tuple[int, int]:
        """Messages and bytes that were no states of the run."""
        state = len(self._topics.state) + len(json_text(_STATE).encode())
        sent = sum(each.sent for each in self.connections) - self.states
        size = sum(each.bytes for each in self.connections) - self.states * state
        return sent, size

    def _greet(self, run: Connection) -> None:
        entities = discovery(self._topics, f"board-{self.number:05}", _LABELS)
        for topic, payload in entities.items():
            run.publish(topic, json_text(payload), retain=True)
        run.publish(self._topics.availability, ONLINE, retain=True)

    def _hear(self, payload: str) -> None:
        offer = Announcement.parse(payload)
        if offer.version == self.version:
            return
        self.version = offer.version
        self.entity.show(offer.version, offer.version, "", busy=False)
        self.entity.publish(self.follower)  # type: ignore[arg-type]


class Loop:
    """Waits for the sockets of many connections, in one thread."""

    def __init__(self, boards: Iterable[Board]) -> None:
        self.boards = list(boards)
        self._selector = selectors.DefaultSelector()
        self._misc_s = 0.0

    def open(self, board: Board) -> None:
        """Connect a board."""
        for connection in board.connections:
            connection.open()
            self._selector.register(
                connection.client.socket(), selectors.EVENT_READ, connection
            )

    def cut(self, board: Board) -> None:
        """Take a board's power away."""
        for connection in board.connections:
            self._selector.unregister(connection.client.socket())
            connection.close()

    def turn(self) -> None:
        """Read and write what is there, for a moment."""
        for key, _ in self._selector.select(0.02):
            key.data.client.loop_read()
        now = time.monotonic()
        is_time = now - self._misc_s > 1.0
        for board in self.boards:
            board.tick(now)
            for connection in board.connections:
                if connection.client.socket() is None:
                    continue
                if connection.client.want_write():
                    connection.client.loop_write()
                if is_time:
                    connection.client.loop_misc()
        if is_time:
            self._misc_s = now

    def until(self, condition: Callable[[], bool], limit_s: float) -> float:
        """Turn until something holds; return the seconds that it took.

        Raises
        ------
        TimeoutError
            It does not, in that time.
        """
        start = time.monotonic()
        while not condition():
            if time.monotonic() - start > limit_s:
                raise TimeoutError(f"not within {limit_s:g} s")
            self.turn()
        return time.monotonic() - start
