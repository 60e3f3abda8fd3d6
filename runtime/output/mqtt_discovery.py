"""What Home Assistant is sent so that it shows a run as a device of its own.

Keys and topics are those of its documentation: "MQTT", chapter "MQTT discovery"
(https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery), "MQTT Sensor"
(.../integrations/sensor.mqtt/) and "MQTT Binary Sensor" (.../binary_sensor.mqtt/).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.plain_text import encodable

if TYPE_CHECKING:
    from edgeseg.devices.types import Json

ONLINE, OFFLINE = "online", "offline"
_LONGEST = 65_535  # bytes of a text in a packet: MQTT 3.1.1, chapter 1.5.3
# object id: (name, template, unit, more)
_DIAGNOSTICS: Mapping[str, tuple[str, str, str, Json]] = {
    "fps": ("Frame rate", "value_json.fps", "fps", {}),
    "latency": (
        "Latency",
        "value_json.latency_ms.p50 if value_json.latency_ms else none",
        "ms",
        {},
    ),
    "age": (
        "Frame age",
        "value_json.age_ms.p50 if value_json.age_ms else none",
        "ms",
        {},
    ),
    "temperature": (
        "Temperature",
        "value_json.temperature_c",
        "°C",
        {"device_class": "temperature"},
    ),
}


@dataclass(frozen=True)
class Topics:
    """Where a run publishes.

    Parameters
    ----------
    prefix : str
        Of its own topics.
    discovery : str
        Of Home Assistant's.
    """

    prefix: str
    discovery: str = "homeassistant"

    @property
    def state(self) -> str:
        """Where the state goes, as JSON."""
        return f"{self.prefix}/state"

    @property
    def event(self) -> str:
        """Where events go, as JSON."""
        return f"{self.prefix}/event"

    @property
    def snapshot(self) -> str:
        """Where pictures go, as JPEG."""
        return f"{self.prefix}/snapshot"

    @property
    def model(self) -> str:
        """Where name, version and hash of the model go, as JSON, retained."""
        return f"{self.prefix}/model"

    @property
    def availability(self) -> str:
        """Where ``online`` and ``offline`` go, retained."""
        return f"{self.prefix}/availability"

    @property
    def node(self) -> str:
        """The prefix in characters that Home Assistant allows in an id."""
        return re.sub("[^a-zA-Z0-9_-]+", "_", self.prefix)

    def command(self, name: str) -> str:
        """Return where commands come from, as ``PREFIX/pause/set``."""
        return f"{self.prefix}/{name}/set"

    def config(self, component: str, object_id: str) -> str:
        """Return the discovery topic of one entity."""
        return f"{self.discovery}/{component}/{self.node}/{object_id}/config"

    def check(self, labels: Mapping[int, str]) -> None:
        """Raise `InputError` where a topic is longer than MQTT can send.

        Parameters
        ----------
        labels : mapping of int to str
            The classes that get a sensor.
        """
        longest = self.config("binary_sensor", f"area_{max(labels, default=0)}_source")
        for topic in (self.availability, longest):
            check_length("mqtt: the topic", topic)


def check_length(what: str, text: str) -> None:
    """Raise `InputError` where a text is longer than MQTT can send."""
    length = len(encodable(text).encode())
    if length > _LONGEST:
        raise InputError(f"{what} has {length} bytes; MQTT takes at most {_LONGEST}")


def discovery(
    topics: Topics,
    name: str,
    labels: Mapping[int, str],
    further: Mapping[str, Json] | None = None,
    *,
    page: str = "",
) -> Json:
    """Return the payload of every discovery topic.

    Parameters
    ----------
    topics : Topics
        Where the run publishes.
    name : str
        The device's name.
    labels : mapping of int to str
        Name of each class id that gets a sensor of its area.
    further : mapping of str to dict or None
        Payloads of more topics, without what all entities have in common.
    page : str
        Address of the run's page, http or https; empty for none.
    """
    common = _common(topics, name, page)
    entities: Json = {}
    for class_id, label in labels.items():
        object_id = f"area_{class_id}"
        entities[topics.config("sensor", object_id)] = {
            **_sensor(object_id, f"{label} area", "%", topics),
            # a class that is not in the picture is not in the state either
            "value_template": f"{{{{ value_json.areas.get('{class_id}', 0) }}}}",
            "icon": "mdi:texture-box",
            **common,
        }
    for object_id, (title, path, unit, more) in _DIAGNOSTICS.items():
        entities[topics.config("sensor", object_id)] = {
            **_sensor(object_id, title, unit, topics),
            "value_template": f"{{{{ {path} }}}}",
            "entity_category": "diagnostic",
            **more,
            **common,
        }
    entities[topics.config("binary_sensor", "source")] = {
        "name": "Source",
        "unique_id": f"{topics.node}_source",
        "state_topic": topics.state,
        "value_template": "{{ 'ON' if value_json.connected else 'OFF' }}",
        "device_class": "connectivity",
        "entity_category": "diagnostic",
        **common,
    }
    for topic, payload in (further or {}).items():
        entities[topic] = {**payload, **common}
    return entities


def _sensor(object_id: str, name: str, unit: str, topics: Topics) -> Json:
    return {
        "name": name,
        "unique_id": f"{topics.node}_{object_id}",
        "state_topic": topics.state,
        "unit_of_measurement": unit,
        "state_class": "measurement",
        "suggested_display_precision": 1,
    }


def disk_entity(topics: Topics) -> Json:
    """Return the discovery topic of recordings' lack of room, with its payload."""
    return {
        topics.config("binary_sensor", "disk"): {
            "name": "Disk",
            "unique_id": f"{topics.node}_disk",
            "state_topic": topics.state,
            "value_template": "{{ 'ON' if value_json.disk_full else 'OFF' }}",
            "json_attributes_topic": topics.state,
            "json_attributes_template": (
                "{{ {'reason': value_json.disk_full} | tojson }}"
            ),
            "device_class": "problem",
            "entity_category": "diagnostic",
        }
    }


def optional_topics(topics: Topics) -> frozenset[str]:
    """Return the discovery topics of what only some runs have, whatever its options.

    A broker keeps them, so that what an earlier run had must be taken back.
    """
    components = {"pause": "switch", "effect": "select", "snapshot": "image"}
    return frozenset(topics.config(kind, name) for name, kind in components.items())


def _common(topics: Topics, name: str, page: str) -> Json:
    more = {"configuration_url": page} if page else {}
    installed = version("edgeseg")
    return {
        "availability_topic": topics.availability,
        "payload_available": ONLINE,
        "payload_not_available": OFFLINE,
        "device": {
            "identifiers": [topics.node],
            "name": name,
            "manufacturer": "edgeseg",
            "model": "Semantic segmentation",
            "sw_version": installed,
            **more,
        },
        "origin": {"name": "edgeseg", "sw_version": installed},
    }
