"""A connection to an MQTT broker that mends itself."""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edgeseg.devices import InputError
from edgeseg.devices.base import Closing
from edgeseg.devices.plain_text import reason_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.runtime.output.mqtt_address import BrokerAddress

_START_S = 5.0  # how long a broker may take to answer
_KEEPALIVE_S = 15  # the broker gives a silent client up after one and a half of these
_END_S = 2.0
_logger = logging.getLogger(__name__)


class Broker(Closing):
    """Publishes; connects again by itself; logs once when it is cut off and back.

    Parameters
    ----------
    address : BrokerAddress
        Host, port, user and password. The last two are never shown.
    tls : bool
        Encrypt, and check the broker against the system's certificates.
    will : (str, str)
        Topic and payload that the broker publishes, retained, when this client is
        gone without a word, and that `close` publishes too.
    greet : callable
        Called with this object, in another thread, whenever there is a connection.

    Raises
    ------
    InputError
        No broker answers there, or it refuses the user.
    """

    def __init__(
        self,
        address: BrokerAddress,
        *,
        tls: bool,
        will: tuple[str, str],
        greet: Callable[[Broker], None],
    ) -> None:
        self._place = f"{address.host}:{address.port or (8883 if tls else 1883)}"
        self._will, self._greet = will, greet
        self._answered = threading.Event()
        self._refusal: str | None = None
        self._lost = self._closing = False
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.will_set(*will, qos=1, retain=True)
        self._client.reconnect_delay_set(min_delay=1, max_delay=30)
        self._client.connect_timeout = _START_S
        if address.user is not None:
            self._client.username_pw_set(address.user, address.password)
        if tls:
            self._client.tls_set()
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._start(address.host, int(self._place.rpartition(":")[2]))

    def _start(self, host: str, port: int) -> None:
        try:
            self._client.connect(host, port, keepalive=_KEEPALIVE_S)
        except (OSError, ValueError) as error:
            reason = reason_of(error)
            raise InputError(
                f"no MQTT broker answers at {self._place}: {reason}"
            ) from error
        self._client.loop_start()
        if not self._answered.wait(_START_S):
            self._refusal = "no answer"
        if self._refusal:
            self._closing = True
            self._client.disconnect()
            self._client.loop_stop()
            raise InputError(
                f"the MQTT broker at {self._place} refuses: {self._refusal}; expected "
                "mqtt://USER:PASSWORD@HOST"
            )

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Leave a message for the network thread; lost while there is no connection."""
        if self._client.is_connected():
            self._client.publish(topic, payload, qos=1 if retain else 0, retain=retain)

    def close(self) -> None:
        """Publish the will, then leave."""
        if self._closing:
            return
        self._closing = True
        if self._client.is_connected():
            sent = self._client.publish(*self._will, qos=1, retain=True)
            # the connection may end meanwhile: the broker then sends the will itself
            with contextlib.suppress(RuntimeError, ValueError):
                sent.wait_for_publish(_END_S)
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(
        self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        if reason.is_failure:
            self._refusal = str(reason)
        else:
            if self._lost:
                _logger.warning("connected to the MQTT broker %s again", self._place)
            self._lost = False
            self._greet(self)
        self._answered.set()

    def _on_disconnect(
        self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        if not (self._closing or self._lost or self._refusal):
            self._lost = True
            _logger.warning(
                "lost the MQTT broker %s (%s): trying again", self._place, reason
            )
