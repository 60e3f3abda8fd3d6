"""An MJPEG stream over HTTP as a connection, with the standard library alone.

How an address is opened: `urllib` with a line that can be cut from outside.
"""

from __future__ import annotations

import contextlib
import email.message
import http.client
import os
import socket
import ssl
import urllib.error
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from edgeseg.devices import InputError, RejectedError
from edgeseg.devices.plain_text import (
    hide_credentials,
    plain,
    printable,
    reason_of,
    shortened,
)
from edgeseg.runtime.capture import jpeg as _jpeg
from edgeseg.runtime.capture.feed import Connection
from edgeseg.runtime.capture.multipart import PartReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json


SILENCE_S = 5.0  # seconds to connect, and without a byte
_REFUSED = (401, 403)
# OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and _HAS_EXPIRED
MATTERS_OF_TIME = frozenset({9, 10})
_DAMAGED = 30  # pictures in a row that may be damaged: a second of a usual camera


class HttpConnection(Connection):
    """Pictures of an MJPEG stream.

    Parameters
    ----------
    url : str
        ``http`` or ``https``; a user and password in it answer Basic and Digest
        challenges of that host, and go nowhere else.
    """

    def __init__(self, url: str) -> None:
        self._name = hide_credentials(url)
        self._url, user, password = without_user(url)
        self._line = Line()
        self._opener = opener_for(self._line, self._url, user, password)
        self._response: http.client.HTTPResponse | None = None
        self._skipped = 0

    def open(self) -> None:
        """Ask for the stream and look at the answer's headers."""
        headers = {"Accept": "multipart/x-mixed-replace, */*;q=0.1"}
        request = urllib.request.Request(self._url, headers=headers)
        with self._errors_in_one_line():
            response = self._opener.open(request, timeout=SILENCE_S)
            assert response is not None
            self._response = response
        boundary = self._boundary(response.headers)
        self._parts = PartReader(self._receive, boundary).parts()

    def read(self) -> NDArray[np.uint8]:
        """Wait for the next picture that can be decoded."""
        for _ in range(_DAMAGED):
            with self._errors_in_one_line():
                part = next(self._parts, None)
            if part is None:
                raise InputError(f"{self._name}: the stream has ended")
            start = part.find(_jpeg.START)
            frame = _jpeg.decode(part[start:]) if start >= 0 else None
            if frame is not None:
                return frame
            self._skipped += 1
        raise InputError(
            f"{self._name}: expected JPEG pictures, got {_DAMAGED} parts in a row that "
            "are none"
        )

    def interrupt(self) -> None:
        """Cut the line: whatever waits for it fails at once."""
        self._line.cut()

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    @property
    def details(self) -> Json:
        """``skipped``: how many pictures of this connection were damaged."""
        return {"through": "HTTP", "skipped": self._skipped}

    def _receive(self, count: int) -> bytes:
        assert self._response is not None
        return self._response.read1(count)

    def _boundary(self, headers: email.message.Message) -> str | None:
        encoding = headers.get("Content-Encoding", "identity").lower()
        if encoding != "identity":
            raise InputError(
                f"{self._name}: expected a plain stream, got one packed with "
                f"{printable(repr(encoding), 40)}"
            )
        kind = headers.get_content_type()
        if kind == "multipart/x-mixed-replace":
            boundary = headers.get_param("boundary")
            return boundary if isinstance(boundary, str) else None
        single = kind.startswith("image/")
        raise InputError(
            f"{self._name}: expected an MJPEG stream (multipart/x-mixed-replace), got "
            f"{printable(kind, 40)}{', a single picture' if single else ''}; look up "
            "the stream's address in the camera's manual"
        )

    @contextlib.contextmanager
    def _errors_in_one_line(self) -> Iterator[None]:
        try:
            yield
        except urllib.error.HTTPError as error:
            error.close()
            kind = RejectedError if error.code in _REFUSED else InputError
            raise kind(f"{self._name}: {_refusal(error.code)}") from error
        except InputError as error:
            raise InputError(f"{self._name}: {error}") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            kind = RejectedError if _is_untrusted(error) else InputError
            raise kind(f"{self._name}: {_reason(error)}") from error


def _refusal(code: int) -> str:
    if code in _REFUSED:
        return (
            f"access refused (HTTP {code}): expected http://USER:PASSWORD@... or a "
            "token that the server knows"
        )
    phrase = http.client.responses.get(code, "unknown")
    return f"the server answers HTTP {code} ({phrase})"


def _is_untrusted(error: Exception) -> bool:
    """Return whether a certificate is not trusted, other than for its time.

    A board without a battery has a wrong clock until the network gives it the time.
    """
    reason = getattr(error, "reason", error)
    if not isinstance(reason, ssl.SSLCertVerificationError):
        return False
    return reason.verify_code not in MATTERS_OF_TIME


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted ({reason.verify_message}); add it to the "
            "system's (update-ca-certificates), or use http://"
        )
    if isinstance(reason, TimeoutError):
        return f"no answer within {SILENCE_S:g} s"
    words = reason_of(reason)
    return shortened(plain(hide_credentials(words)), 160)


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
