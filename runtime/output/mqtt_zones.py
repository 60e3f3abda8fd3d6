"""What Home Assistant is sent about zones and lines.

Keys are those of its documentation: "MQTT Binary Sensor", "MQTT Sensor" and "MQTT
Event" (https://www.home-assistant.io/integrations/event.mqtt/).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edgeseg.runtime.model.labels import ids_of
from edgeseg.runtime.zones.events import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeseg.devices.types import Json
    from edgeseg.runtime.output.mqtt_discovery import Topics
    from edgeseg.runtime.output.sink import Style
    from edgeseg.runtime.zones.events import Watched


def zone_entities(topics: Topics, style: Style, labels: Mapping[int, str]) -> Json:
    """Return the payload of every discovery topic of zones and lines.

    Parameters
    ----------
    topics : Topics
        Where the run publishes.
    style : Style
        Gives the zones and lines.
    labels : mapping of int to str
        Classes of the zones that name none.

    Returns
    -------
    dict
        Without what all entities have in common.
    """
    entities: Json = {}
    for number, zone in enumerate(style.zones, start=1):
        for class_id, label in _classes(zone.classes, style, labels).items():
            key = f"zone_{number}_{class_id}"
            value = f"value_json.zones.get({zone.name!r}, {{}}).get({label!r}, {{}})"
            there = f"{value}.get('present')"
            entities[topics.config("binary_sensor", key)] = {
                "name": f"{label} in {zone.name}",
                "unique_id": f"{topics.node}_{_safe(zone.name)}_{_safe(label)}",
                "state_topic": topics.state,
                "value_template": f"{{{{ 'ON' if {there} else 'OFF' }}}}",
                "device_class": "occupancy",
            }
            entities[topics.config("sensor", f"{key}_count")] = {
                "name": f"{label} count in {zone.name}",
                "unique_id": f"{topics.node}_{_safe(zone.name)}_{_safe(label)}_count",
                "state_topic": topics.state,
                "value_template": f"{{{{ {value}.get('count', 0) }}}}",
                "state_class": "measurement",
                "icon": "mdi:counter",
            }
    for number, line in enumerate(style.lines, start=1):
        for way, direction in enumerate(line.directions):
            value = f"value_json.lines.get({line.name!r}, {{}}).get({direction!r}, 0)"
            entities[topics.config("sensor", f"line_{number}_{way}")] = {
                "name": f"{line.name} {direction}",
                "unique_id": f"{topics.node}_{_safe(line.name)}_{_safe(direction)}",
                "state_topic": topics.state,
                "value_template": f"{{{{ {value} }}}}",
                "state_class": "total_increasing",
                "icon": "mdi:counter",
            }
    if entities:
        entities[topics.config("event", "event")] = {
            "name": "Event",
            "unique_id": f"{topics.node}_event",
            "state_topic": topics.event,
            "event_types": list(KINDS),
        }
    return entities


def zone_state(watched: Watched) -> Json:
    """Return zones and lines as a part of the state."""
    state = watched.to_dict()
    return {"zones": state["zones"], "lines": state["lines"]}


def _classes(
    names: tuple[str, ...], style: Style, usual: Mapping[int, str]
) -> dict[int, str]:
    if not names:
        return dict(usual)
    labels = style.manifest.labels
    ids = dict.fromkeys(i for name in names for i in ids_of(name, labels))
    return {class_id: style.manifest.label(class_id) for class_id in ids}


def _safe(text: str) -> str:
    return re.sub("[^a-zA-Z0-9_-]+", "_", text)
