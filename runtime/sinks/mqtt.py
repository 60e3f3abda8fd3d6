"""Areas and readings to an MQTT broker, for Home Assistant: ``mqtt://HOST/PREFIX``."""

from __future__ import annotations

import logging
import re
import socket
import time
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.drawing.look import shown_ids
from edgeseg.runtime.drawing.statistics_line import read_temperature_c
from edgeseg.runtime.installation.identity import identity_of
from edgeseg.runtime.json_text import json_text
from edgeseg.runtime.output.mqtt_address import parse_address
from edgeseg.runtime.output.mqtt_commands import MqttCommands
from edgeseg.runtime.output.mqtt_discovery import (
    OFFLINE,
    ONLINE,
    Topics,
    discovery,
    disk_entity,
    optional_topics,
)
from edgeseg.runtime.output.mqtt_options import MqttOptions, with_password
from edgeseg.runtime.output.mqtt_package import check_package
from edgeseg.runtime.output.mqtt_page import page_of
from edgeseg.runtime.output.mqtt_snapshot import (
    SnapshotTimer,
    jpeg_of,
    snapshot_entity,
)
from edgeseg.runtime.output.mqtt_zones import zone_entities, zone_state
from edgeseg.runtime.output.sink import Sink

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edgeseg.devices.types import Json
    from edgeseg.runtime.capture.source import Capture
    from edgeseg.runtime.output.mqtt_address import BrokerAddress
    from edgeseg.runtime.output.mqtt_broker import Broker
    from edgeseg.runtime.output.sink import Style
    from edgeseg.runtime.segmentation.segmenter import Segmentation

_log = logging.getLogger(__name__)
_EXPECTED = "mqtt://user:password@homeassistant.local/edgeseg/front-door"
_MOST_SENSORS = 40  # Home Assistant keeps every value of each for days


class MqttSink(Sink):
    """Publishes how much of the picture each class covers, and how the run does.

    Home Assistant finds the device by itself. ``PREFIX/state`` is JSON, at most every
    ``every`` seconds, from the newest frame; ``PREFIX/availability`` is ``online``, or
    ``offline`` also where this process was killed or the network is gone.
    ``PREFIX/model`` is the model's name, version and hash, retained.
    ``PREFIX/event`` is what happens in zones and on lines, when it does.
    ``PREFIX/snapshot`` is the picture as it is drawn, where it is asked for. A broker
    that is not there, or goes away, is waited for; frames go on.

    Parameters
    ----------
    text : str
        ``mqtt://[USER[:PASSWORD]@]HOST[:PORT][/PREFIX]``, or ``mqtts://`` for TLS; then
        the options of `MqttOptions` after ``?``, such as ``every=2&snapshot=10``. A
        user without a password has that of ``EDGESEG_MQTT_PASSWORD``.
    style : Style
        Gives names and the classes shown. Without a choice, of more than 40 classes
        only those of the first frame that has some get a sensor.
    """

    def __init__(self, text: str, style: Style) -> None:
        tls = text.startswith("mqtts://")
        address = parse_address(text if "://" in text else f"mqtt://{text}", _EXPECTED)
        options = MqttOptions.of(address, tls=tls)
        if options.update:
            raise InputError("mqtt: update= is for edgeseg model follow, not for a run")
        prefix = address.path or f"edgeseg/{socket.gethostname()}"
        if re.search("[#+\0]", prefix + options.discovery):
            raise InputError("mqtt: a topic cannot hold #, + or a zero byte")
        self._style = style
        self._topics = Topics(prefix, options.discovery)
        self._name = options.name or prefix.rpartition("/")[2]
        self._every_s, self._page = options.every, options.page
        self._commands = MqttCommands(self._topics, style) if options.control else None
        self._snapshots = options.snapshot and SnapshotTimer(options.snapshot)
        self._has_disk = False
        self._next_s, self._published = 0.0, self._switched
        self._shares: dict[int, float] = {}
        self._watched: Json = {}
        self._labels = _labels(style)
        address = with_password(address, options.password_file)
        self._topics.check(self._labels)
        self._denied: set[str] = set()
        self._model = None if style.model is None else identity_of(style.model)
        self._broker = self._connected(address, tls, options.cafile)

    def write(self, capture: Capture, segmentation: Segmentation) -> None:
        """Publish events, and the state if it is time to; never waits."""
        watched = segmentation.watched
        events = watched.events if watched is not None else ()
        for event in events:
            self._broker.publish(self._topics.event, json_text(event.to_dict()), qos=1)
        if (
            self._snapshots
            and self._broker.connected
            and self._snapshots.is_due(events)
        ):
            picture = jpeg_of(self._style.draw(capture, segmentation))
            self._broker.publish(self._topics.snapshot, picture)
        if time.monotonic() < self._next_s and not events:
            return
        self._watched = zone_state(watched) if watched is not None else {}
        pixels = segmentation.ids.size
        self._shares = {i: n / pixels for i, n in segmentation.areas.items()}
        self._publish_state()

    def check(self) -> None:
        """Publish also while no frames come, so that a lost camera is seen."""
        late = self._shares and time.monotonic() > self._next_s + self._every_s
        if late or self._switched != self._published:
            self._publish_state()

    @property
    def state(self) -> Json:
        """State of the connection; see `Broker.state`."""
        return self._broker.state

    def close(self) -> None:
        """Say goodbye."""
        self._broker.close()

    @property
    def _switched(self) -> tuple[bool, str]:
        """Pause and effect as they are now, whoever has changed them."""
        controls = self._style.controls
        return controls.paused, controls.look.effect

    def _connected(
        self, address: BrokerAddress, tls: bool, cafile: Path | None
    ) -> Broker:
        check_package()
        from edgeseg.runtime.output.mqtt_broker import Broker

        return Broker(
            address,
            tls=tls,
            cafile=cafile,
            will=(self._topics.availability, OFFLINE),
            greet=self._greet,
            denied=self._deny,
            commands=self._commands,
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
        topics, labels = self._topics, self._labels
        more = zone_entities(topics, self._style, labels)
        more |= disk_entity(topics) if self._has_disk else {}
        more |= self._commands.entities() if self._commands is not None else {}
        more |= snapshot_entity(topics) if self._snapshots else {}
        entities = discovery(topics, self._name, labels, more, page=self._page)
        for topic, payload in entities.items():
            broker.publish(topic, json_text(payload), retain=True)
        for topic in sorted(optional_topics(topics) - entities.keys()):
            broker.publish(topic, "", retain=True)  # of an earlier run with them
        if self._model is not None:
            broker.publish(topics.model, json_text(self._model), retain=True)
        broker.publish(topics.availability, ONLINE, retain=True)

    def _publish_state(self) -> None:
        self._next_s = time.monotonic() + self._every_s
        self._published = self._switched
        state = self._state()
        if self._finds_more(state.get("outputs", {})):
            self._greet(self._broker)
        self._broker.publish(self._topics.state, json_text(state))

    def _finds_more(self, outputs: Mapping[str, Json]) -> bool:
        """Return whether there is something that Home Assistant does not know yet."""
        known = len(self._labels), self._has_disk, self._page
        if not self._labels:
            shown = shown_ids(self._style.look, self._style.manifest)
            found = [i for i in self._shares if shown[i]][:_MOST_SENSORS]
            self._labels = {i: self._style.manifest.label(i) for i in found}
        self._has_disk = any("disk_full" in state for state in outputs.values())
        self._page = self._page or page_of(outputs, self._broker.own_host)
        return known != (len(self._labels), self._has_disk, self._page)

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
        full = [
            s["error"] for s in state.get("outputs", {}).values() if s.get("disk_full")
        ]
        state["paused"], state["effect"] = self._published
        return {**state, "disk_full": full[0] if full else None}


def _labels(style: Style) -> dict[int, str]:
    """Return the classes that have a sensor from the start."""
    labels = style.manifest.labels
    shown = shown_ids(style.look, style.manifest)
    found = {i: style.manifest.label(i) for i in range(len(labels)) if shown[i]}
    return found if len(found) <= _MOST_SENSORS or style.look.classes else {}


ADDRESS = AddressKind(Rest.NETWORK, schemes=("mqtts",), options="?", extra="mqtt")
PLUGIN = MqttSink
