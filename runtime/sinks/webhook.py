"""Each event as a POST of JSON: ``webhook:https://HOST/PATH#kinds=enter,leave``."""

from __future__ import annotations

import os
import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from edgeseg.devices import InputError
from edgeseg.devices.plain_text import encodable, reason_of
from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.json_text import json_text
from edgeseg.runtime.output.event_queue import (
    NotNowError,
    QueuedEvents,
    check_watching,
    kinds_of,
)

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from edgeseg.runtime.output.sink import Style
    from edgeseg.runtime.zones.events import Event

TOKEN_VARIABLE = "EDGESEG_WEBHOOK_TOKEN"
_TIMEOUT_S = 10.0
_LONGEST_ANSWER = 64 * 1024
# time-out, too early, too many requests; and all of 500 and above
_LATER = frozenset({408, 425, 429})


class WebhookSink(QueuedEvents):
    """Posts what happens in zones and on lines; a run never waits for it.

    What is not taken (no connection, a time-out, 408, 425, 429, 500 and above) is
    tried again, after a second at first and a minute at most. At most 256 events wait:
    of more the oldest are dropped and counted. Another status refuses an event for
    good. Redirects are not followed.

    Parameters
    ----------
    text : str
        ``https://HOST[:PORT]/PATH[?QUERY]``, or ``http://``. What follows ``#`` is not
        sent: ``kinds=A,B`` chooses events. ``EDGESEG_WEBHOOK_TOKEN``, where it is set,
        is sent as ``Authorization: Bearer``.
    style : Style
        Has the zones and lines.

    Raises
    ------
    InputError
        It is no such address, or there are no zones and lines.
    """

    def __init__(self, text: str, style: Style) -> None:
        self._url = _url(encodable(text))
        options = dict(parse_qsl(self._url.fragment, keep_blank_values=True))
        if unknown := options.keys() - {"kinds"}:
            raise InputError(
                f"webhook: unknown option {min(unknown)!r} after #; known: kinds"
            )
        kinds = kinds_of("webhook", options.get("kinds", ""))
        check_watching("webhook", style)
        self._headers = {"content-type": "application/json", "user-agent": "edgeseg"}
        if token := os.environ.get(TOKEN_VARIABLE):
            self._headers["authorization"] = f"Bearer {token}"
        super().__init__(self._post, f"webhook {self._url.hostname}", kinds)

    def _post(self, event: Event) -> str:
        """Post one event; return why it is refused."""
        body = json_text(event.to_dict()).encode()
        target = self._url.path or "/"
        if self._url.query:
            target += f"?{self._url.query}"
        connection = _connection(self._url)
        try:
            connection.request("POST", target, body, self._headers)
            answer = connection.getresponse()
            answer.read(_LONGEST_ANSWER)
        except HTTPException as error:
            raise NotNowError(f"no HTTP answer ({type(error).__name__})") from error
        except OSError as error:
            raise NotNowError(reason_of(error)) from error
        finally:
            connection.close()
        if answer.status in _LATER or answer.status >= 500:
            raise NotNowError(f"it answers {answer.status}")
        return "" if answer.status < 300 else f"it answers {answer.status} to an event"


def _url(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), 0
    fits = parts.scheme in ("http", "https") and parts.hostname and port != 0
    plain = text.isascii() and text.isprintable() and " " not in text
    if not (fits and plain and parts.username is None):
        raise InputError(
            "webhook: expected https://HOST/PATH or http://HOST/PATH without a user "
            f"and in ASCII, got an address of {len(text)} characters that is none"
        )
    return parts


def _connection(url: SplitResult) -> HTTPConnection:
    host = url.hostname or ""
    if url.scheme == "http":
        return HTTPConnection(host, url.port, timeout=_TIMEOUT_S)
    context = ssl.create_default_context()
    return HTTPSConnection(host, url.port, timeout=_TIMEOUT_S, context=context)


ADDRESS = AddressKind(Rest.NETWORK)
PLUGIN = WebhookSink
