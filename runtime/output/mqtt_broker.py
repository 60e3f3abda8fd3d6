"""A connection to an MQTT broker that comes about by itself, and mends itself.

MQTT 5 is spoken where the broker knows it: it says why something is refused, which
MQTT 3.1.1 keeps to itself.
"""

from __future__ import annotations

import contextlib
import logging
import ssl
import sys
import threading
from typing import TYPE_CHECKING, Any, Protocol

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edgeseg.devices import InputError
from edgeseg.devices.base import Closing
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.output.connection import (
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    OutputConnection,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edgeseg.devices.types import Json
    from edgeseg.runtime.output.mqtt_address import BrokerAddress

_START_S = 5.0  # how long the first answer is waited for
_KEEPALIVE_S = 15  # the broker gives a silent client up after one and a half of these
_END_S = 2.0
# reason codes of MQTT 5, chapter 3.2.2.2
_UNKNOWN_PROTOCOL = 132
_LASTING = frozenset({133, 134, 135, 138, 140})  # identifier, user, rights, banned
# OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and _HAS_EXPIRED: a board without a battery
# has a wrong clock until the network gives it the time
_MATTERS_OF_TIME = frozenset({9, 10})
_logger = logging.getLogger(__name__)


class Commands(Protocol):
    """What takes commands, as far as a broker is concerned."""

    @property
    def retained_topics(self) -> frozenset[str]:
        """The topics of which the message that the broker has kept counts, too."""

    def topics(self) -> tuple[str, ...]:
        """Return where they come from."""

    def obey(self, topic: str, payload: str) -> None:
        """Take one, in the network thread."""


class Broker(Closing):
    """Publishes; connects when it can; logs once when it waits, is cut off and back.

    Parameters
    ----------
    address : BrokerAddress
        Host, port, user and password. The last two are never shown.
    tls : bool
        Encrypt, and check the broker's certificate.
    cafile : Path or None
        Certificates that are trusted; None: the system's.
    commands : Commands or None
        Gets what is published to its topics. What a broker has kept of them is left
        out, but for `retained_topics`: it may have been meant for another run, long
        ago.
    will : (str, str)
        Topic and payload that the broker publishes, retained, when this client is
        gone without a word, and that `close` publishes too.
    greet : callable
        Called with this object, in another thread, whenever there is a connection.
    denied : callable
        Called with a topic and a reason where the broker does not take what is
        published there, as far as it says so.

    Raises
    ------
    InputError
        What waiting does not mend: the broker refuses the user, or its certificate is
        not trusted, or `cafile` holds none.
    """

    def __init__(
        self,
        address: BrokerAddress,
        *,
        tls: bool,
        will: tuple[str, str],
        greet: Callable[[Broker], None],
        denied: Callable[[str, str], None],
        cafile: Path | None = None,
        commands: Commands | None = None,
    ) -> None:
        self._address, self._will = address, will
        self._commands = commands
        self._greet, self._denied = greet, denied
        self._context = _tls_context(cafile) if tls else None
        self._port = address.port or (8883 if tls else 1883)
        self._place = f"{address.host}:{self._port}"
        self._connection = OutputConnection(f"the MQTT broker {self._place}", _logger)
        self._lock = threading.Lock()
        self._settled = threading.Event()  # the first try has an outcome
        self._starting, self._closing = True, False
        self._lasting: str | None = None
        self._error: str | None = None  # of the first tries, which the log keeps back
        self._greeted = False
        self._topics: dict[int, str] = {}  # of messages that are not confirmed yet
        self._client = self._new_client(MQTTProtocolVersion.MQTTv5)
        self._client.loop_start()
        self._settled.wait(_START_S)
        self._starting = False
        if self._lasting is not None:
            self.close()
            raise InputError(self._lasting)
        if not self._connection.was_made:
            self._connection.failed(self._error or "no answer")

    @property
    def state(self) -> Json:
        """``connected``, ``reconnects``, and ``error``: why it is not, or None."""
        connected = self._client.is_connected()
        return {**self._connection.state, "connected": connected}

    @property
    def connected(self) -> bool:
        """Whether something that is published now would arrive."""
        return bool(self._client.is_connected())

    @property
    def own_host(self) -> str:
        """Address by which the broker knows this machine; empty where unknown."""
        connection = self._client.socket()
        try:
            return str(connection.getsockname()[0]) if connection is not None else ""
        except OSError:  # it has just been closed
            return ""

    def publish(
        self, topic: str, payload: str | bytes, *, retain: bool = False, qos: int = 0
    ) -> None:
        """Leave a message for the network thread; lost while there is no connection.

        Parameters
        ----------
        topic, payload : str, str or bytes
            The message.
        retain : bool
            The broker keeps it for those that come later; it is confirmed then.
        qos : {0, 1}
            1: it is sent until the broker confirms it.
        """
        client = self._client
        if client.is_connected():
            level = 1 if retain else qos
            sent = client.publish(topic, payload, qos=level, retain=retain)
            if level:
                self._topics[sent.mid] = topic

    def close(self) -> None:
        """Publish the will, then leave."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
            client = self._client
        if client.is_connected():
            sent = client.publish(*self._will, qos=1, retain=True)
            # the connection may end meanwhile: the broker then sends the will itself
            with contextlib.suppress(RuntimeError, ValueError):
                sent.wait_for_publish(_END_S)
        client.disconnect()
        # a connection that is just being tried cannot be cut short
        ending = threading.Thread(target=client.loop_stop, daemon=True)
        ending.start()
        ending.join(_END_S)

    def _new_client(self, protocol: MQTTProtocolVersion) -> paho.Client:
        client = paho.Client(CallbackAPIVersion.VERSION2, protocol=protocol)
        client.will_set(*self._will, qos=1, retain=True)
        client.reconnect_delay_set(int(FIRST_PAUSE_S), int(LONGEST_PAUSE_S))
        client.connect_timeout = _START_S
        if self._address.user is not None:
            client.username_pw_set(self._address.user, self._address.password)
        if self._context is not None:
            client.tls_set_context(self._context)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.connect_async(self._address.host, self._port, keepalive=_KEEPALIVE_S)
        return client

    def _fall_back(self, client: paho.Client) -> None:
        """Go on with MQTT 3.1.1, which every broker knows."""
        with self._lock:
            if self._closing or client is not self._client:
                return
            client.disconnect()
            client.loop_stop()  # from its own thread: it ends after this
            self._client = self._new_client(MQTTProtocolVersion.MQTTv311)
            self._client.loop_start()

    def _fail(self, reason: str, *, lasting: str | None = None) -> None:
        """Note why there is no connection; at the start, what lasts ends it all."""
        self._error = reason
        if self._starting:
            self._lasting = lasting
        elif not self._closing:
            self._connection.failed(reason)
        self._settled.set()

    def _on_connect(
        self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        self._greeted = True
        newest = client.protocol == MQTTProtocolVersion.MQTTv5
        if reason.is_failure and reason.value == _UNKNOWN_PROTOCOL and newest:
            self._fall_back(client)
        elif reason.is_failure:
            lasting = (
                f"the MQTT broker at {self._place} refuses: {reason}; expected "
                "mqtt://USER:PASSWORD@HOST"
            )
            self._fail(
                str(reason), lasting=lasting if reason.value in _LASTING else None
            )
        else:
            self._connection.made()
            if self._commands is not None:
                client.subscribe([(topic, 1) for topic in self._commands.topics()])
            self._greet(self)
            self._settled.set()

    def _on_connect_fail(self, client: Any, userdata: Any) -> None:
        error = sys.exc_info()[1]
        reason = "no answer" if error is None else reason_of(error)
        lasting = None
        if isinstance(error, ConnectionResetError) and self._context is not None:
            reason += " (is TLS spoken at that port?)"
        if isinstance(error, ssl.SSLError):
            code = getattr(error, "verify_code", 0)
            if code not in _MATTERS_OF_TIME:
                advice = "; cafile=FILE names a certificate to trust" if code else ""
                lasting = (
                    f"no MQTT broker answers at {self._place} by TLS: {reason}{advice}"
                )
        self._fail(reason, lasting=lasting)

    def _on_disconnect(
        self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        if self._closing or client is not self._client:
            return
        greeted, self._greeted = self._greeted, False
        if not greeted and not self._connection.was_made:
            if client.protocol == MQTTProtocolVersion.MQTTv5:
                self._fall_back(client)
            else:
                self._fail("it hangs up without an answer")
        elif self._connection.connected:
            self._connection.failed(str(reason))

    def _on_message(self, client: Any, userdata: Any, message: Any) -> None:
        commands = self._commands
        if commands is None:
            return
        if not message.retain or message.topic in commands.retained_topics:
            payload = message.payload.decode(errors="replace")
            commands.obey(message.topic, payload)

    def _on_publish(
        self, client: Any, userdata: Any, mid: int, reason: Any, properties: Any
    ) -> None:
        topic = self._topics.pop(mid, None)
        if reason.is_failure:
            self._connection.trouble(f"publishing to {topic or 'a topic'}: {reason}")
            self._denied(topic or "", str(reason))


def _tls_context(cafile: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=cafile)
    except (OSError, ValueError) as error:
        reason = "no certificate in it"
        if not isinstance(error, ssl.SSLError):
            reason = reason_of(error)
        raise InputError(
            f"mqtt: cafile: expected certificates in PEM, cannot use {cafile}: {reason}"
        ) from error
