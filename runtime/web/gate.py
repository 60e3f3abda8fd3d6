"""Who may ask: connection limit, host name, token, and where a change comes from.

A proxy that is believed says how a request was before; see `Forwarded`. The rest of the
application sees paths without the proxy's prefix.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from edgeseg.runtime.json_text import json_text
from edgeseg.runtime.web.proxies import Forwarded

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from edgeseg.runtime.web.address import WebAddress

CONNECTIONS = 48  # those over it are asked to come back; over twice as many are cut
OVER_LIMIT = "over_limit"  # set in a request's ``state`` where it came by one of those
OPERATOR, VIEWER = "operator", "viewer"  # a request's ``role``, in its ``state``
_LOCAL = ("localhost", "127.0.0.1", "::1")
_ASKED = "path_asked_for"  # with the prefix, in a request's ``state``
_READING = ("GET", "HEAD")
_QUIET_S = 60.0  # between two lines of the log about wrong tokens
_HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}
_logger = logging.getLogger(__name__)


class Gate:
    """Lets a request through to the application, or answers it.

    Parameters
    ----------
    app : ASGI application
        What is behind the gate.
    address : WebAddress
        Gives the token.
    """

    def __init__(self, app: ASGIApp, *, address: WebAddress) -> None:
        self._app, self._address = app, address
        tokens = {OPERATOR: address.token, VIEWER: address.view_token}
        self._tokens = {role: token for role, token in tokens.items() if token}
        self._next_word_s = -1e9

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        came = Request(scope)
        forwarded = Forwarded.of(_peer(came), came.headers, self._address.proxies)
        request = Request(self._without_prefix(scope, forwarded))
        answer = _full(request) or self._stranger(request, forwarded)
        answer = answer or _to_folder(request) or self._login(request, forwarded)
        answer = answer or _from_elsewhere(request, forwarded) or _not_allowed(request)
        await (answer or self._app)(request.scope, receive, send_with_headers)

    def _without_prefix(self, scope: Scope, forwarded: Forwarded) -> Scope:
        """Return a request's scope as if the proxy had left its prefix out.

        Some proxies do, some do not: a path without it stays.
        """
        path = scope["path"]
        for prefix in (self._address.root_path, forwarded.prefix):
            if prefix and (path == prefix or path.startswith(f"{prefix}/")):
                path = path[len(prefix) :]
                break
        state = {**scope.get("state", {}), _ASKED: scope["path"]}
        return {**scope, "path": path, "state": state}

    def _stranger(self, request: Request, forwarded: Forwarded) -> Response | None:
        """Refuse who is no proxy where only these may ask, and a foreign host name.

        A page elsewhere can let its own name point here (DNS rebinding); its requests
        then carry that name.
        """
        if self._address.proxies_only and not forwarded.by_proxy:
            return refusal(403, "this server answers its proxies only")
        if not self._address.is_loopback or forwarded.by_proxy:
            return None  # the token is asked for
        name = _host_of(request.headers.get("host", ""))
        if name in (*_LOCAL, self._address.host.lower()):
            return None
        return refusal(
            421,
            "this server answers to localhost only; one behind a proxy is started "
            "with web:HOST:PORT?proxies=ADDRESS",
        )

    def _login(self, request: Request, forwarded: Forwarded) -> Response | None:
        """Find out who asks; set the cookie of who shows a token to the page."""
        role = None if self._tokens else OPERATOR
        shown = request.query_params.get("token")
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        bearer = bearer.strip() if scheme.lower() == "bearer" else ""
        for each, token in self._tokens.items():
            by_cookie = shown is None and _same(
                request.cookies.get(_cookie(each, request), ""), _session(token)
            )
            by_token = shown is not None and _same(shown, token)
            if by_token and request.scope["path"] == "/":
                return self._to_page(each, request, forwarded)
            if role is None and (by_token or by_cookie or _same(bearer, token)):
                role = each
        request.state.role = role
        if role is not None:
            return None
        if shown or bearer:
            self._say_wrong(forwarded.client)
        headers = {"www-authenticate": 'Bearer realm="edgeseg"'}
        message = "the token is missing or wrong: open the page with ?token=... once, "
        return refusal(401, message + "or send it as Authorization: Bearer", headers)

    def _say_wrong(self, client: str) -> None:
        if time.monotonic() > self._next_word_s:
            self._next_word_s = time.monotonic() + _QUIET_S
            _logger.warning("web: a wrong token came from %s", client)

    def _to_page(
        self, role: str, request: Request, forwarded: Forwarded
    ) -> RedirectResponse:
        """Set the cookie and drop the token from the address bar and the history.

        Relative to the page and without a path, both fit whatever prefix a proxy has
        put before it (RFC 6265, 5.1.4). The other role's cookie ends.
        """
        answer = RedirectResponse("./", 303)
        for each, token in self._tokens.items():
            value, age = (_session(token), None) if each == role else ("", 0)
            answer.set_cookie(
                _cookie(each, request),
                value,
                max_age=age,
                path=None,
                secure=forwarded.is_https,
                httponly=True,
                samesite="strict",
            )
        return answer


def json_answer(
    values: object, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Return an answer in JSON; see `json_text`."""
    return Response(json_text(values), status, headers, "application/json")


def refusal(
    status: int, message: str, headers: dict[str, str] | None = None
) -> Response:
    """Return an answer that says in JSON what was wrong."""
    return json_answer({"error": message}, status, headers)


def _full(request: Request) -> Response | None:
    if not request.scope.get("state", {}).get(OVER_LIMIT):
        return None
    headers = {"retry-after": "5", "connection": "close"}
    return refusal(503, "too many connections: try again later", headers)


def _to_folder(request: Request) -> Response | None:
    """Send a browser from ``/door`` to ``/door/``, where relative addresses work."""
    if request.scope["path"] or request.method not in _READING:
        return None
    name = request.scope["state"][_ASKED].rpartition("/")[2]
    query = request.url.query
    return RedirectResponse(f"{name}/{f'?{query}' if query else ''}", 307)


def _from_elsewhere(request: Request, forwarded: Forwarded) -> Response | None:
    """Refuse a change that another site's page asks for in a browser."""
    if request.method in _READING:
        return None
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site", "same-origin")
    if site in ("same-origin", "none") and (
        origin is None or _is_ours(origin, request, forwarded)
    ):
        return None
    return refusal(403, "changes are taken from the page itself only")


def _is_ours(origin: str, request: Request, forwarded: Forwarded) -> bool:
    if not forwarded.by_proxy:
        return origin in (f"http://{forwarded.host}", f"https://{forwarded.host}")
    if forwarded.host is not None:  # some proxies leave the port out
        return _host_of(origin) == _host_of(forwarded.host)
    # The proxy keeps the name back. Another site's page can send JSON only after it
    # has asked for leave (CORS), which nobody gets here.
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    return kind.lower() == "application/json"


def _not_allowed(request: Request) -> Response | None:
    if request.method in _READING or request.state.role == OPERATOR:
        return None
    return refusal(
        403,
        "a viewer's token is for looking: a change needs the operator's "
        "(EDGESEG_TOKEN where the run is started)",
    )


def _peer(request: Request) -> str:
    return request.client.host if request.client else ""


def _host_of(header: str) -> str:
    """Return the host's name of ``HOST:PORT`` or ``http://HOST:PORT``."""
    try:
        return (urlsplit(f"//{header.rpartition('//')[2]}").hostname or "").lower()
    except ValueError:
        return ""


def _same(shown: str, expected: str) -> bool:
    return hmac.compare_digest(shown.encode(), expected.encode())


def _cookie(role: str, request: Request) -> str:
    """Return a cookie's name.

    A cookie is sent to every port of a host: the name separates ours from others'.
    """
    port = request.scope["server"][1]
    return f"edgeseg_{port}" if role == OPERATOR else f"edgeseg_view_{port}"


def _session(token: str) -> str:
    """Return what the cookie holds: a proof of the token that does not reveal it."""
    return hmac.new(token.encode(), b"edgeseg page", hashlib.sha256).hexdigest()
