"""Who may ask: connection limit, host name, token, and where a change comes from."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from edgeseg.runtime.json_text import json_text

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from edgeseg.runtime.web.address import WebAddress

CONNECTIONS = 48  # those over it are asked to come back; over twice as many are cut
OVER_LIMIT = "over_limit"  # set in a request's ``state`` where it came by one of those
_LOCAL = ("localhost", "127.0.0.1", "::1")
_HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        request = Request(scope)
        answer = _full(request) or self._stranger(request) or self._login(request)
        answer = answer or _from_elsewhere(request)
        await (answer or self._app)(scope, receive, send_with_headers)

    def _stranger(self, request: Request) -> Response | None:
        """Refuse a foreign name for this machine.

        A page elsewhere can let its own name point here (DNS rebinding); its requests
        then carry that name.
        """
        if not self._address.is_loopback:
            return None  # the token is asked for
        name = _host_of(request.headers.get("host", ""))
        if name in (*_LOCAL, self._address.host.lower()):
            return None
        return refusal(421, "this server answers to localhost only")

    def _login(self, request: Request) -> Response | None:
        token = self._address.token
        if token is None:
            return None
        # a cookie is sent to every port of a host: the name separates ours from others'
        cookie = f"edgeseg_{request.scope['server'][1]}"
        session = _session(token)
        shown = request.query_params.get("token")
        if shown is not None and _same(shown, token):
            return _to_page(cookie, session) if request.url.path == "/" else None
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _same(bearer.strip(), token):
            return None
        if shown is None and _same(request.cookies.get(cookie, ""), session):
            return None
        headers = {"www-authenticate": 'Bearer realm="edgeseg"'}
        message = "the token is missing or wrong: open /?token=... once, or send it "
        return refusal(401, message + "as Authorization: Bearer", headers)


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


def _from_elsewhere(request: Request) -> Response | None:
    """Refuse a change that another site's page asks for in a browser."""
    if request.method in ("GET", "HEAD"):
        return None
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site", "same-origin")
    host = request.headers.get("host")
    ours = origin is None or origin in (f"http://{host}", f"https://{host}")
    if ours and site in ("same-origin", "none"):
        return None
    return refusal(403, "changes are taken from the page itself only")


def _host_of(header: str) -> str:
    try:
        return (urlsplit(f"//{header}").hostname or "").lower()
    except ValueError:
        return ""


def _same(shown: str, expected: str) -> bool:
    return hmac.compare_digest(shown.encode(), expected.encode())


def _session(token: str) -> str:
    """Return what the cookie holds: a proof of the token that does not reveal it."""
    return hmac.new(token.encode(), b"edgeseg page", hashlib.sha256).hexdigest()


def _to_page(cookie: str, session: str) -> Response:
    """Set the cookie and drop the token from the address bar and the history."""
    answer = RedirectResponse("/", 303)
    answer.set_cookie(cookie, session, httponly=True, samesite="strict", path="/")
    return answer
