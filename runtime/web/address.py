"""From ``HOST:PORT?token=...`` to where the page is served and who may see it."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from edgeseg.devices import InputError
from edgeseg.runtime.web.proxies import Proxies

if TYPE_CHECKING:
    from collections.abc import Mapping

HOST, PORT = "127.0.0.1", 8080
TOKEN_VARIABLE, VIEW_TOKEN_VARIABLE = "EDGESEG_TOKEN", "EDGESEG_VIEW_TOKEN"
_SHORTEST_TOKEN = 8
_TEXTS = ("token", "view_token", "root_path", "proxies", "proxies_only")
_WHOLE = {"fps": (1, 60), "streams": (1, 64), "quality": (30, 95), "stale": (1, 3600)}
# what stands between a host's name and the page, as /door or /api/cameras/door
_ROOT_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+/?")
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
    token, view_token : str or None
        What an operator, who may change the look, and a viewer, who may not, must
        show; never part of ``repr``. With a viewer's token alone nobody may change it.
    fps : int
        Pictures a second at most, all clients together.
    streams : int
        Clients that may watch at once.
    quality : int
        JPEG quality.
    stale : int
        Seconds without a frame after which ``/healthz`` says so.
    root_path : str
        Path under which a proxy shows the page, such as ``/door``; empty for none.
    proxies : Proxies
        Whose forwarded headers are believed.
    proxies_only : bool
        Answer nobody but them.
    """

    host: str = HOST
    port: int = PORT
    token: str | None = field(default=None, repr=False)
    view_token: str | None = field(default=None, repr=False)
    fps: int = 15
    streams: int = 8
    quality: int = 80
    stale: int = 10
    root_path: str = field(default="", kw_only=True)
    proxies: Proxies = field(default=Proxies(), kw_only=True)
    proxies_only: bool = field(default=False, kw_only=True)

    @classmethod
    def from_text(cls, text: str, environ: Mapping[str, str]) -> WebAddress:
        """Read ``HOST:PORT?token=T&view_token=V&fps=N&streams=N&quality=N&stale=N``.

        For a page behind a proxy ``root_path=/PATH``, ``proxies=ADDRESS,NETWORK/BITS``
        and ``proxies_only=yes`` can follow.

        Parameters
        ----------
        text : str
            Every part may be left out.
        environ : mapping of str to str
            ``EDGESEG_TOKEN`` and ``EDGESEG_VIEW_TOKEN`` are the tokens that the text
            does not have.

        Raises
        ------
        InputError
            A part is malformed, or others than this machine could connect and there
            is no token.

        Examples
        --------
        >>> address = WebAddress.from_text(":9000?fps=5&root_path=/door", {})
        >>> address.host, address.port, address.fps, address.root_path
        ('127.0.0.1', 9000, 5, '/door')
        """
        place, _, query = text.partition("?")
        host, port = _place(place)
        values = _options(query)
        texts = {key: values.pop(key, "") for key in _TEXTS}
        address = cls(
            host,
            port,
            texts["token"] or environ.get(TOKEN_VARIABLE) or None,
            texts["view_token"] or environ.get(VIEW_TOKEN_VARIABLE) or None,
            **{key: _whole(key, value) for key, value in values.items()},
            root_path=_root_path(texts["root_path"]),
            proxies=Proxies.from_text(texts["proxies"]),
            proxies_only=_yes("proxies_only", texts["proxies_only"]),
        )
        address._check_tokens()
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

    def _check_tokens(self) -> None:
        tokens = {"token": self.token, "view_token": self.view_token}
        for name, token in tokens.items():
            if token is None:
                continue
            if len(token) < _SHORTEST_TOKEN or not token.isascii():
                raise InputError(
                    f"web: {name}: expected {_SHORTEST_TOKEN} or more ASCII "
                    f"characters, got {len(token)}"
                )
        if self.token is not None and self.token == self.view_token:
            raise InputError(
                "web: expected different tokens for operator and viewer, got the same"
            )
        if self.proxies_only and not self.proxies.networks:
            raise InputError("web: proxies_only: expected proxies=ADDRESS too")
        who = self._who_else()
        if who and not any(tokens.values()):
            raise InputError(
                f"web: {who}, so a token is needed: set {TOKEN_VARIABLE}, or write "
                f"web:{self.host}:{self.port}?token=..."
            )

    def _who_else(self) -> str:
        """Return who else than this machine's users could ask; empty for nobody.

        Where nobody is answered but proxies on other machines, these say who may ask.
        On this machine a page in a browser can connect as a proxy does, by a name of
        its own (DNS rebinding), so that only the token tells them apart.
        """
        if self.proxies_only and not self.proxies.has_loopback:
            return ""
        if not self.is_loopback:
            return f"{self.host} can be reached by others"
        if self.proxies.networks:
            return "others reach the page through a proxy"
        return ""


def _place(text: str) -> tuple[str, int]:
    matched = _PLACE.fullmatch(text)
    port = int(matched["port"] or PORT) if matched else -1
    if matched is None or not 0 <= port <= 65535:
        raise InputError(f"web: expected HOST:PORT such as {HOST}:{PORT}, got {text!r}")
    return matched["six"] or matched["host"] or HOST, port


def _options(query: str) -> dict[str, str]:
    values = dict(parse_qsl(query, keep_blank_values=True))
    for key in values:
        if key not in _WHOLE and key not in _TEXTS:
            known = ", ".join([*_TEXTS, *_WHOLE])
            raise InputError(f"web: unknown option {key!r}; known: {known}")
    return values


def _whole(key: str, text: str) -> int:
    low, high = _WHOLE[key]
    if not re.fullmatch(r"\d{1,5}", text) or not low <= int(text) <= high:
        raise InputError(f"web: expected {key}={low}..{high}, got {text!r}")
    return int(text)


def _root_path(text: str) -> str:
    if text in ("", "/"):
        return ""
    if not _ROOT_PATH.fullmatch(text) or {".", ".."} & set(text.split("/")):
        raise InputError(f"web: expected root_path=/PATH such as /door, got {text!r}")
    return text.rstrip("/")


def _yes(key: str, text: str) -> bool:
    if text not in ("", "yes", "no"):
        raise InputError(f"web: expected {key}=yes or no, got {text!r}")
    return text == "yes"
