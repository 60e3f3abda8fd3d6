"""An MJPEG stream over HTTP as a connection, with the standard library alone."""

from __future__ import annotations

import contextlib
import email.message
import http.client
import ssl
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

from edgeseg.devices import InputError
from edgeseg.devices._wording import plain, shortened
from edgeseg.runtime.credentials import hide_credentials
from edgeseg.runtime.sources import _jpeg
from edgeseg.runtime.sources._connection import Connection
from edgeseg.runtime.sources._http_opener import Line, opener_for, without_user
from edgeseg.runtime.sources._multipart import PartReader

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SILENCE_S = 5.0  # seconds to connect, and without a byte
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
        with self._told_in_one_line():
            response = self._opener.open(request, timeout=SILENCE_S)
            assert response is not None
            self._response = response
        boundary = self._boundary(response.headers)
        self._parts = PartReader(self._receive, boundary).parts()

    def read(self) -> NDArray[np.uint8]:
        """Wait for the next picture that can be decoded."""
        for _ in range(_DAMAGED):
            with self._told_in_one_line():
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
    def told(self) -> dict[str, Any]:
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
                f"{encoding[:20]!r}"
            )
        kind = headers.get_content_type()
        if kind == "multipart/x-mixed-replace":
            boundary = headers.get_param("boundary")
            return boundary if isinstance(boundary, str) else None
        single = kind.startswith("image/")
        raise InputError(
            f"{self._name}: expected an MJPEG stream (multipart/x-mixed-replace), got "
            f"{kind[:40]}{', a single picture' if single else ''}; look up the "
            "stream's address in the camera's manual"
        )

    @contextlib.contextmanager
    def _told_in_one_line(self) -> Any:
        try:
            yield
        except urllib.error.HTTPError as error:
            error.close()
            raise InputError(f"{self._name}: {_refusal(error.code)}") from error
        except InputError as error:
            raise InputError(f"{self._name}: {error}") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise InputError(f"{self._name}: {_reason(error)}") from error


def _refusal(code: int) -> str:
    if code in (401, 403):
        return (
            f"access refused (HTTP {code}): expected http://USER:PASSWORD@... or a "
            "token that the server knows"
        )
    phrase = http.client.responses.get(code, "unknown")
    return f"the server answers HTTP {code} ({phrase})"


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted ({reason.verify_message}); add it to the "
            "system's (update-ca-certificates), or use http://"
        )
    if isinstance(reason, TimeoutError):
        return f"no answer within {SILENCE_S:g} s"
    words = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return shortened(plain(hide_credentials(words)), 160)
