"""From ``HOST:PORT?token=...`` to where the page is served and who may see it."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from edgeseg.devices import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

HOST, PORT = "127.0.0.1", 8080
TOKEN_VARIABLE = "EDGESEG_TOKEN"
_SHORTEST_TOKEN = 8
_WHOLE = {"fps": (1, 60), "streams": (1, 64), "quality": (30, 95), "stale": (1, 3600)}
# HOST:PORT, [IPv6]:PORT, :PORT, PORT or HOST
_PLACE = re.compile(
    r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<host>(?!\d+$)[^\[\]:/?#@\s]*))?"
    r"(?:(?:^|:)(?P<port>\d{1,5}))?"
)


@dataclass(frozen=True)
class WebAddress:
    """Where the page is served, and under which limits.

    Parameters
    ----------
    host : str
        Name or address of this machine to listen on.
    port : int
        0 takes a free one.
    token : str or None
        What a client must show; never part of ``repr``.
    fps : int
        Pictures a second at most, all clients together.
    streams : int
        Clients that may watch at once.
    quality : int
        JPEG quality.
    stale : int
        Seconds without a frame after which ``/healthz`` says so.
    """

    host: str = HOST
    port: int = PORT
    token: str | None = field(default=None, repr=False)
    fps: int = 15
    streams: int = 8
    quality: int = 80
    stale: int = 10

    @classmethod
    def from_text(cls, text: str, environ: Mapping[str, str]) -> WebAddress:
        """Read ``HOST:PORT?token=T&fps=N&streams=N&quality=N&stale=N``.

        Parameters
        ----------
        text : str
            Every part may be left out.
        environ : mapping of str to str
            ``EDGESEG_TOKEN`` is the token where the text has none.

        Raises
        ------
        InputError
            A part is malformed, or others than this machine could connect and there
            is no token.

        Examples
        --------
        >>> WebAddress.from_text(":9000?fps=5", {})
        WebAddress(host='127.0.0.1', port=9000, fps=5, streams=8, quality=80, stale=10)
        """
        place, _, query = text.partition("?")
        host, port = _place(place)
        values = _options(query)
        token = values.pop("token", None) or environ.get(TOKEN_VARIABLE) or None
        address = cls(host, port, token, **{k: _whole(k, v) for k, v in values.items()})
        address._check_token()
        return address

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def url(self, port: int) -> str:
        """Return the page's address for a browser, without the token."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{port}/"

    def _check_token(self) -> None:
        if self.token is None and not self.is_loopback:
            raise InputError(
                f"web: {self.host} can be reached by others, so a token is needed: "
                f"set {TOKEN_VARIABLE}, or write web:{self.host}:{self.port}?token=..."
            )
        if self.token is not None and (
            len(self.token) < _SHORTEST_TOKEN or not self.token.isascii()
        ):
            raise InputError(
                f"web: expected a token of {_SHORTEST_TOKEN} or more ASCII characters, "
                f"got one of {len(self.token)}"
            )


def hide_token(text: str) -> str:
    """Return an output string as it may be shown.

    Examples
    --------
    >>> hide_token("web:0.0.0.0:8080?fps=5&token=secret&quality=70")
    'web:0.0.0.0:8080?fps=5&token=...&quality=70'
    """
    return re.sub(r"(?<=[?&]token=)[^&]*", "...", text)


def _place(text: str) -> tuple[str, int]:
    matched = _PLACE.fullmatch(text)
    port = int(matched["port"] or PORT) if matched else -1
    if matched is None or not 0 <= port <= 65535:
        raise InputError(f"web: expected HOST:PORT such as {HOST}:{PORT}, got {text!r}")
    return matched["six"] or matched["host"] or HOST, port


def _options(query: str) -> dict[str, str]:
    values = dict(parse_qsl(query, keep_blank_values=True))
    for key in values:
        if key not in _WHOLE and key != "token":
            known = ", ".join(["token", *_WHOLE])
            raise InputError(f"web: unknown option {key!r}; known: {known}")
    return values


def _whole(key: str, text: str) -> int:
    low, high = _WHOLE[key]
    if not re.fullmatch(r"\d{1,5}", text) or not low <= int(text) <= high:
        raise InputError(f"web: expected {key}={low}..{high}, got {text!r}")
    return int(text)
