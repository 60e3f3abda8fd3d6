"""What Home Assistant may switch: a run's pause, and the effect of its pictures.

Keys are those of its documentation: "MQTT Switch" and "MQTT Select"
(https://www.home-assistant.io/integrations/select.mqtt/).
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from edgeseg.devices import EdgesegError
from edgeseg.devices.plain_text import printable, shortened
from edgeseg.runtime.drawing.look import check_look, hides_otherwise
from edgeseg.runtime.drawing.open_effect import EFFECTS, effect_controls

if TYPE_CHECKING:
    from edgeseg.devices.types import Json
    from edgeseg.runtime.output.mqtt_discovery import Topics
    from edgeseg.runtime.output.sink import Style

_log = logging.getLogger(__name__)
_ON, _OFF = "ON", "OFF"


class MqttCommands:
    """Obeys what is published to the topics for commands.

    Parameters
    ----------
    topics : Topics
        Where the run publishes.
    style : Style
        Gives the effects, and what is switched.
    """

    def __init__(self, topics: Topics, style: Style) -> None:
        self._topics, self._style = topics, style
        self._said = False
        self._effects = [] if style.is_locked else _effects(style.look.effect)

    def entities(self) -> Json:
        """Return the payload of every discovery topic of what can be switched.

        An effect that is there for privacy cannot, so that there is no select then.
        """
        topics = self._topics
        entities: Json = {
            topics.config("switch", "pause"): {
                "name": "Pause",
                "unique_id": f"{topics.node}_pause",
                "command_topic": topics.command("pause"),
                "state_topic": topics.state,
                "value_template": (
                    f"{{{{ '{_ON}' if value_json.paused else '{_OFF}' }}}}"
                ),
                "icon": "mdi:pause",
            }
        }
        if self._effects:
            entities[topics.config("select", "effect")] = {
                "name": "Effect",
                "unique_id": f"{topics.node}_effect",
                "command_topic": topics.command("effect"),
                "state_topic": topics.state,
                "value_template": "{{ value_json.effect }}",
                "options": self._effects,
                "icon": "mdi:image-filter-hdr",
            }
        return entities

    @property
    def retained_topics(self) -> frozenset[str]:
        """No topic: a command is for the run that hears it."""
        return frozenset()

    def topics(self) -> tuple[str, ...]:
        """Return where commands come from."""
        return tuple(self._topics.command(name) for name in ("pause", "effect"))

    def obey(self, topic: str, payload: str) -> None:
        """Do what a message asks for; one that cannot be obeyed is logged once.

        Parameters
        ----------
        topic, payload : str
            The message.
        """
        refusal = ""
        if topic == self._topics.command("pause"):
            refusal = self._pause(payload)
        elif topic == self._topics.command("effect"):
            refusal = self._change_effect(payload)
        if refusal and not self._said:
            self._said = True
            _log.warning("not obeyed, from %s: %s", topic, refusal)

    def _pause(self, payload: str) -> str:
        if payload not in (_ON, _OFF):
            return f"expected {_ON} or {_OFF}, got {_quoted(payload)}"
        self._style.controls.paused = payload == _ON
        return ""

    def _change_effect(self, payload: str) -> str:
        """Draw with another effect from now on; return why that is refused."""
        controls, style = self._style.controls, self._style
        look = replace(controls.look, effect=payload)
        if style.is_locked and hides_otherwise(look, controls.look):
            return (
                f"the effect {style.look.effect} is there for privacy; who starts the "
                "run can let others change it: --unlock-privacy"
            )
        if payload not in self._effects and payload != style.look.effect:
            known = ", ".join(self._effects)
            return f"expected one of {known}, got {_quoted(payload)}"
        try:
            check_look(look, style.manifest, style.zones)
        except EdgesegError as error:  # a package that the effect needs is missing
            return str(error)
        controls.look = look
        return ""


def _effects(first: str) -> list[str]:
    """Return what can be chosen: the run's own effect, and all that need no file."""
    names = [
        name for name in EFFECTS.names() if not effect_controls(name)["takes_file"]
    ]
    return list(dict.fromkeys([first, *names]))


def _quoted(text: str) -> str:
    return repr(shortened(printable(text, 60), 60))
