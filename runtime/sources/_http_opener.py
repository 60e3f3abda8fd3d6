"""How an address is opened: `urllib` with a line that can be cut from outside."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from edgeseg.devices import InputError
from edgeseg.runtime.credentials import hide_credentials

if TYPE_CHECKING:
    from collections.abc import Callable


class Line:
    """The connections of one request, redirects included, so that they can be cut."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []
        self._is_cut = False

    def tapped(
        self, kind: type[http.client.HTTPConnection]
    ) -> Callable[..., http.client.HTTPConnection]:
        """Return a maker of connections that are noted here."""
        line = self

        class Tapped(kind):  # type: ignore[misc, valid-type]
            def connect(self) -> None:
                super().connect()
                line.add(self.sock)

        return Tapped

    def add(self, opened: socket.socket) -> None:
        """Note a socket; it is cut at once where the line is cut already."""
        self._sockets.append(opened)
        if self._is_cut:
            self.cut()

    def cut(self) -> None:
        """Shut all sockets down; blocking calls on them return."""
        self._is_cut = True
        for opened in self._sockets:
            with contextlib.suppress(OSError):  # closed already
                opened.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close all sockets, those of answers that `urllib` left open included."""
        self.cut()
        for opened in self._sockets:
            descriptor = opened.detach()
            if descriptor >= 0:
                os.close(descriptor)


class _Http(urllib.request.HTTPHandler):
    def __init__(self, line: Line) -> None:
        super().__init__()
        self._tapped = line.tapped(http.client.HTTPConnection)

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._tapped, req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, line: Line) -> None:
        super().__init__()
        self._tapped = line.tapped(http.client.HTTPSConnection)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._tapped, req)


def without_user(url: str) -> tuple[str, str | None, str]:
    """Split an address into one without user and password, and these.

    Raises
    ------
    InputError
        It names no host, or no valid port.

    Examples
    --------
    >>> without_user("http://eve:p%40ss@10.0.0.7:8080/video?fps=5")
    ('http://10.0.0.7:8080/video?fps=5', 'eve', 'p@ss')
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # port raises where it is none
    except ValueError as error:
        raise InputError(f"{hide_credentials(url)}: {error}") from error
    if not host:
        raise InputError(
            f"expected an address such as http://camera:8080/video, got "
            f"{hide_credentials(url)}"
        )
    netloc = parts.netloc.rpartition("@")[2]
    path = parts.path or "/"
    plain = urlunsplit((parts.scheme, netloc, path, parts.query, ""))
    user = None if parts.username is None else unquote(parts.username)
    return plain, user, unquote(parts.password or "")


def opener_for(
    line: Line, url: str, user: str | None, password: str
) -> urllib.request.OpenerDirector:
    """Return an opener that speaks HTTP only, without a proxy: cameras are near.

    `urllib.request.build_opener` would also follow a redirect to ``ftp:``.
    """
    opener = urllib.request.OpenerDirector()
    handlers: list[urllib.request.BaseHandler] = [
        _Http(line),
        _Https(line),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
    ]
    if user is not None:
        known = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        known.add_password(None, urljoin(url, "/"), user, password)
        handlers.append(urllib.request.HTTPBasicAuthHandler(known))
        handlers.append(urllib.request.HTTPDigestAuthHandler(known))
    for handler in handlers:
        opener.add_handler(handler)
    return opener
