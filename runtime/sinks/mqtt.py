"""Areas and readings to an MQTT broker, for Home Assistant: ``mqtt://HOST/PREFIX``."""

from __future__ import annotations

import logging
import os
import re
import socket
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, MissingDriverError
from edgeseg.devices.plain_files import check_file_or_folder
from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.drawing.look import shown_ids
from edgeseg.runtime.drawing.statistics_line import read_temperature_c
from edgeseg.runtime.json_text import json_text
from edgeseg.runtime.output.mqtt_address import parse_address
from edgeseg.runtime.output.mqtt_discovery import (
    OFFLINE,
    ONLINE,
    Topics,
    check_length,
    discovery,
)
from edgeseg.runtime.output.mqtt_zones import zone_entities, zone_state
from edgeseg.runtime.output.secret_files import read_secret
from edgeseg.runtime.output.sink import Sink

if TYPE_CHECKING:
    from edgeseg.devices.types import Json
    from edgeseg.runtime.capture.source import Capture
    from edgeseg.runtime.output.mqtt_address import BrokerAddress
    from edgeseg.runtime.output.mqtt_broker import Broker
    from edgeseg.runtime.output.sink import Style
    from edgeseg.runtime.segmentation.segmenter import Segmentation

_log = logging.getLogger(__name__)
_EXPECTED = "mqtt://user:password@homeassistant.local/edgeseg/front-door"
_OPTIONS = {
    "every": "1",
    "discovery": "homeassistant",
    "name": "",
    "password_file": "",
    "cafile": "",
}
PASSWORD_VARIABLE = "EDGESEG_MQTT_PASSWORD"
_MOST_SENSORS = 40  # Home Assistant keeps every value of each for days


class MqttSink(Sink):
    """Publishes how much of the picture each class covers, and how the run does.

    Home Assistant finds the device by itself. ``PREFIX/state`` is JSON, at most every
    ``every`` seconds, from the newest frame; ``PREFIX/availability`` is ``online``, or
    ``offline`` also where this process was killed or the network is gone.
    ``PREFIX/event`` is what happens in zones and on lines, when it does. A broker
    that is not there, or goes away, is waited for; frames go on.

    Parameters
    ----------
    text : str
        ``mqtt://[USER[:PASSWORD]@]HOST[:PORT][/PREFIX]``, or ``mqtts://`` for TLS; then
        ``?every=SECONDS&name=NAME&discovery=PREFIX&password_file=FILE&cafile=FILE`` as
        wished. A user without a password has that of ``EDGESEG_MQTT_PASSWORD``;
        ``cafile`` holds the certificates that are trusted in place of the system's.
    style : Style
        Gives names and the classes shown. Without a choice, of more than 40 classes
        only those of the first frame that has some get a sensor.
    """

    def __init__(self, text: str, style: Style) -> None:
        tls = text.startswith("mqtts://")
        address = parse_address(text if "://" in text else f"mqtt://{text}", _EXPECTED)
        options = {**_OPTIONS, **address.options}
        if unknown := options.keys() - _OPTIONS.keys():
            raise InputError(
                f"mqtt: unknown option {min(unknown)!r}; known: {', '.join(_OPTIONS)}"
            )
        prefix = address.path or f"edgeseg/{socket.gethostname()}"
        if re.search("[#+\0]", prefix + options["discovery"]):
            raise InputError("mqtt: a topic cannot hold #, + or a zero byte")
        self._style = style
        self._topics = Topics(prefix, options["discovery"].strip("/"))
        self._name = options["name"] or prefix.rpartition("/")[2]
        self._every_s = _seconds(options["every"])
        self._next_s = 0.0
        self._shares: dict[int, float] = {}
        self._watched: Json = {}
        self._labels = _labels(style)
        address = with_password(address, options["password_file"])
        self._topics.check(self._labels)
        self._denied: set[str] = set()
        cafile = _cafile(options["cafile"], tls)
        self._broker = self._connected(address, tls, cafile)

    def write(self, capture: Capture, segmentation: Segmentation) -> None:
        """Publish events, and the state if it is time to; never waits."""
        watched = segmentation.watched
        events = watched.events if watched is not None else ()
        for event in events:
            self._broker.publish(self._topics.event, json_text(event.to_dict()), qos=1)
        if time.monotonic() < self._next_s and not events:
            return
        self._watched = zone_state(watched) if watched is not None else {}
        pixels = segmentation.ids.size
        self._shares = {i: n / pixels for i, n in segmentation.areas.items()}
        self._announce_found()
        self._publish_state()

    def check(self) -> None:
        """Publish also while no frames come, so that a lost camera is seen."""
        if self._shares and time.monotonic() > self._next_s + self._every_s:
            self._publish_state()

    @property
    def state(self) -> Json:
        """State of the connection; see `Broker.state`."""
        return self._broker.state

    def close(self) -> None:
        """Say goodbye."""
        self._broker.close()

    def _connected(
        self, address: BrokerAddress, tls: bool, cafile: Path | None
    ) -> Broker:
        try:
            from edgeseg.runtime.output.mqtt_broker import Broker
        except ImportError as error:
            if (error.name or "").partition(".")[0] != "paho":
                raise  # our own bug, not a missing package
            raise MissingDriverError(
                "MQTT needs the package paho-mqtt: pip install 'edgeseg[mqtt]'"
            ) from error
        return Broker(
            address,
            tls=tls,
            cafile=cafile,
            will=(self._topics.availability, OFFLINE),
            greet=self._greet,
            denied=self._deny,
        )

    def _deny(self, topic: str, reason: str) -> None:
        """Say once what the broker does not take, so that nobody has to guess."""
        found = topic.startswith(f"{self._topics.discovery}/")
        place = self._topics.discovery if found else self._topics.prefix
        if place in self._denied:
            return
        self._denied.add(place)
        more = "Home Assistant finds no device by itself; " if found else ""
        _log.warning(
            "the MQTT broker refuses what is published to %s/# (%s): %sgive the user "
            "the right to write there",
            *(place, reason, more),
        )

    def _greet(self, broker: Broker) -> None:
        """Tell a broker everything that it may have forgotten."""
        zones = zone_entities(self._topics, self._style, self._labels)
        entities = discovery(self._topics, self._name, self._labels, zones)
        for topic, payload in entities.items():
            broker.publish(topic, json_text(payload), retain=True)
        broker.publish(self._topics.availability, ONLINE, retain=True)

    def _announce_found(self) -> None:
        if not self._labels:
            shown = shown_ids(self._style.look, self._style.manifest)
            found = [i for i in self._shares if shown[i]][:_MOST_SENSORS]
            self._labels = {i: self._style.manifest.label(i) for i in found}
            if found:
                self._greet(self._broker)

    def _publish_state(self) -> None:
        self._next_s = time.monotonic() + self._every_s
        self._broker.publish(self._topics.state, json_text(self._state()))

    def _state(self) -> Json:
        percent = {str(i): round(100 * s, 2) for i, s in self._shares.items()}
        state: Json = {
            "areas": percent,
            "classes": [self._style.manifest.label(i) for i in self._shares],
            "temperature_c": read_temperature_c(),
            "connected": True,
            **self._watched,
        }
        if self._style.meter is not None:
            readings = self._style.meter.read().to_dict()
            for key in ("shares", "error"):
                del readings[key]
            state |= readings
        return state


def with_password(address: BrokerAddress, file: str) -> BrokerAddress:
    """Return an address with the password that a file or the environment holds.

    Raises
    ------
    InputError
        The file cannot be used, there is no user for it, or user or password is longer
        than MQTT can send.
    """
    password = address.password
    if file:
        if address.user is None or password is not None:
            raise InputError(
                "mqtt: password_file: expected a user without a password before the "
                "host, such as mqtt://user@homeassistant.local"
            )
        password = read_secret(file, "MQTT password")
    elif address.user is not None and password is None:
        password = os.environ.get(PASSWORD_VARIABLE)
    for what, text in (("user", address.user), ("password", password)):
        check_length(f"mqtt: the {what}", text or "")
    return replace(address, password=password)


def _labels(style: Style) -> dict[int, str]:
    """Return the classes that have a sensor from the start."""
    labels = style.manifest.labels
    shown = shown_ids(style.look, style.manifest)
    found = {i: style.manifest.label(i) for i in range(len(labels)) if shown[i]}
    return found if len(found) <= _MOST_SENSORS or style.look.classes else {}


def _cafile(text: str, tls: bool) -> Path | None:
    """Return the file of certificates that the address names.

    Raises
    ------
    InputError
        Nothing is encrypted that it could be for, or it is no file.
    """
    if not text:
        return None
    if not tls:
        raise InputError("mqtt: cafile: expected mqtts://, which encrypts")
    check_file_or_folder(text)
    return Path(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 3600:
        raise InputError(f"mqtt: every: expected seconds, 0 to 3600, got {text!r}")
    return seconds


ADDRESS = AddressKind(Rest.NETWORK, schemes=("mqtts",), options="?", extra="mqtt")
PLUGIN = MqttSink
