"""What the server answers to each path."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from edgeseg.devices import EdgesegError, InputError
from edgeseg.devices.plain_text import printable
from edgeseg.runtime.drawing.look import Look, check_look, hides_otherwise
from edgeseg.runtime.web.gate import Gate, json_answer, refusal
from edgeseg.runtime.web.metrics import CONTENT_TYPE, metrics_text
from edgeseg.runtime.web.page import ICON, load_openapi, load_page
from edgeseg.runtime.web.state import VERSION, state_of
from edgeseg.runtime.web.stream import MultipartStream
from edgeseg.runtime.web.watch_state import watch_state, watched_by

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from starlette.routing import BaseRoute

    from edgeseg.devices.types import Json, Untyped
    from edgeseg.runtime.output.sink import Style
    from edgeseg.runtime.pipeline.meter import Meter
    from edgeseg.runtime.web.address import WebAddress
    from edgeseg.runtime.web.feed import PageFeed


_BODY_LIMIT = 16 * 1024
_BODY_LIMIT_S = 5.0
_LOCKED = (
    "effect and classes are locked, as {} is there for privacy; who starts the run can "
    "let viewers change them: --unlock-privacy"
)
# what may follow an effect's name in a request: never the name of a file to read
_HARMLESS = re.compile(r"[a-z][a-z0-9_]*(:(\d{1,6}|#?[0-9a-fA-F]{6})?)?")


class Pages:
    """The answers, one method a path.

    Parameters
    ----------
    feed : PageFeed
        Gives the pictures and holds the look.
    meter : Meter
        Gives the readings.
    style : Style
        Gives the classes, and whether the look is locked.
    table : ndarray
        ``(256, 3)`` uint8 RGB, the classes' colours.
    address : WebAddress
        Gives the limits.
    connections : callable
        Returns how many connections are open.
    """

    def __init__(
        self,
        feed: PageFeed,
        meter: Meter,
        style: Style,
        table: NDArray[np.uint8],
        address: WebAddress,
        connections: Callable[[], int],
    ) -> None:
        self._feed, self._meter, self._manifest = feed, meter, style.manifest
        self._locked, self._style = style.is_locked, style
        self._classes = set(range(len(style.manifest.labels)))
        self._table, self._address, self._connections = table, address, connections
        self._start_effect = feed.look.effect
        self._html, self._policy = load_page()
        self._openapi = load_openapi()

    async def page(self, request: Request) -> Response:
        """``/``."""
        headers = {"content-security-policy": self._policy}
        return Response(self._html, media_type="text/html", headers=headers)

    async def icon(self, request: Request) -> Response:
        """``/icon.svg``."""
        return Response(ICON, media_type="image/svg+xml")

    async def openapi(self, request: Request) -> Response:
        """``/openapi.json``."""
        return Response(self._openapi, media_type="application/json")

    async def snapshot(self, request: Request) -> Response:
        """``/snapshot.jpg``."""
        return _picture(await self._feed.snapshot(), "image/jpeg")

    async def mask(self, request: Request) -> Response:
        """``/mask.png``."""
        return _picture(await self._feed.mask(), "image/png")

    async def metrics(self, request: Request) -> Response:
        """``/metrics``."""
        text = await self.metrics_text()
        return Response(text, headers={"content-type": CONTENT_TYPE})

    async def metrics_text(self) -> str:
        """Return what ``/metrics`` shows."""
        state = await asyncio.to_thread(self._state)
        readings = self._meter.read()
        # of a model without labels, those that were found so far
        self._classes.update(readings.shares)
        return metrics_text(
            readings,
            self._manifest.label,
            self._classes,
            version=VERSION,
            temperature_c=state["temperature_c"],
            streams=self._feed.watchers,
            connections=self._connections(),
            watched=watched_by(self._feed),
        )

    async def state(self, request: Request) -> Response:
        """``/api/state``."""
        state = await asyncio.to_thread(self._state)
        return json_answer({**state, "role": request.state.role})

    async def look(self, request: Request) -> Response:
        """``/api/look``."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        if kind.lower() != "application/json":
            return refusal(
                415, f"expected content of type application/json, got {kind!r}"
            )
        values = json_object(await read_body(request))
        look = Look.from_dict({**self._feed.look.to_dict(), **values})
        if self._locked and hides_otherwise(look, self._feed.look):
            return refusal(403, _LOCKED.format(self._start_effect))
        if not _HARMLESS.fullmatch(look.effect) and look.effect != self._start_effect:
            raise InputError(
                "effect: expected a name, with a number or a colour after a colon at "
                f"most, got {look.effect!r}; files are named on the command line only"
            )
        await asyncio.to_thread(check_look, look, self._manifest, self._style.zones)
        await self._feed.change_look(look)
        return json_answer(look.to_dict())

    async def health(self, request: Request) -> Response:
        """``/healthz``."""
        readings = self._meter.read()
        since = readings.last_frame_s
        good = since is not None and since <= self._address.stale
        status = "paused" if readings.paused else "ok" if good else "no frames"
        good = good or readings.paused
        health = {"status": status, "last_frame_s": since}
        return json_answer(health, 200 if good else 503)

    def _state(self) -> Json:
        state = state_of(
            self._feed,
            self._meter.read(),
            self._manifest,
            self._table,
            stream_limit=self._address.streams,
            locked=self._locked,
        )
        return {**state, **watch_state(self._feed, self._style)}


def make_app(pages: Pages, stream: MultipartStream, address: WebAddress) -> Starlette:
    """Return the application: routes behind the gate.

    Parameters
    ----------
    pages : Pages
        Answers all paths but the stream's.
    stream : MultipartStream
        Answers ``/stream.mjpg``.
    address : WebAddress
        Gives the token.
    """
    return behind_gate(routes_of(pages, stream), address)


def behind_gate(routes: Sequence[BaseRoute], address: WebAddress) -> Starlette:
    """Return the application of these routes, for who may ask."""
    return Starlette(
        routes=routes,
        middleware=[Middleware(Gate, address=address)],
        exception_handlers=_HANDLERS,
    )


def routes_of(pages: Pages, stream: MultipartStream) -> list[Route]:
    """Return the paths of one run's page."""
    return [
        Route("/", pages.page),
        Route("/stream.mjpg", stream, methods=["GET"]),
        Route("/snapshot.jpg", pages.snapshot),
        Route("/mask.png", pages.mask),
        Route("/metrics", pages.metrics),
        Route("/api/state", pages.state),
        Route("/api/look", pages.look, methods=["POST"]),
        Route("/icon.svg", pages.icon),
        Route("/openapi.json", pages.openapi),
        Route("/healthz", pages.health),
    ]


def json_object(content: bytes) -> Json:
    """Return a JSON object.

    Raises
    ------
    InputError
        It is something else.
    """
    try:
        values = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"expected JSON, got something else: {error}") from error
    if not isinstance(values, dict):
        raise InputError(f"expected a JSON object, got {type(values).__name__}")
    return values


async def read_body(request: Request) -> bytes:
    """Return a request's content.

    Raises
    ------
    HTTPException
        It is too large, or does not come.
    """
    try:
        return await asyncio.wait_for(_read(request), _BODY_LIMIT_S)
    except (TimeoutError, asyncio.TimeoutError, ClientDisconnect) as error:
        raise HTTPException(408, "the content did not come in time") from error


async def _read(request: Request) -> bytes:
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > _BODY_LIMIT:
            raise HTTPException(
                413, f"at most {_BODY_LIMIT} bytes are taken", {"connection": "close"}
            )
    return content


def _picture(content: bytes | None, kind: str) -> Response:
    if content is None:
        return refusal(503, "no frame yet", {"retry-after": "1"})
    return Response(content, media_type=kind)


async def _http_error(request: Request, error: HTTPException) -> Response:
    return refusal(error.status_code, error.detail, dict(error.headers or {}))


async def _bad_request(request: Request, error: EdgesegError) -> Response:
    return refusal(422, printable(str(error), 300))


_HANDLERS: Untyped = {HTTPException: _http_error, EdgesegError: _bad_request}
