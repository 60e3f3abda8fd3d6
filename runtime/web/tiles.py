"""One page for several cameras: a tile for each, and its own page behind it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route

from edgeseg.runtime.output.sink import Sink
from edgeseg.runtime.web.app import behind_gate, routes_of
from edgeseg.runtime.web.gate import json_answer
from edgeseg.runtime.web.metrics import CONTENT_TYPE, join_metrics
from edgeseg.runtime.web.page import ICON, load_page
from edgeseg.runtime.web.run_page import RunPage
from edgeseg.runtime.web.server import WebServer
from edgeseg.runtime.web.state import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from edgeseg.devices.types import Json
    from edgeseg.runtime.capture.source import Capture
    from edgeseg.runtime.output.sink import Style
    from edgeseg.runtime.pipeline.meter import Meter
    from edgeseg.runtime.segmentation.segmenter import Segmentation
    from edgeseg.runtime.web.address import WebAddress
    from edgeseg.runtime.web.app import Pages
    from edgeseg.runtime.web.feed import PageFeed

_STATE = ("connected", "error", "frames", "dropped", "fps", "last_frame_s")


class TileSink(Sink):
    """Shows the newest frame of one camera; its server is closed by who made it.

    Parameters
    ----------
    feed : PageFeed
        Takes the frames.
    server : WebServer
        Serves them.
    name : str
        Of the camera, as in the page's address.
    """

    def __init__(self, feed: PageFeed, server: WebServer, name: str) -> None:
        self._feed, self._server, self._name = feed, server, name

    @property
    def state(self) -> Json:
        """Whether the camera's page can be opened, and its ``url``."""
        state = self._server.state
        url = f"{self._server.url}{self._name}/" if state["connected"] else None
        return {**state, "url": url}

    @property
    def live(self) -> bool:
        """Frames that come faster than they can be shown are left out."""
        return True

    def write(self, capture: Capture, segmentation: Segmentation) -> None:
        """Take one frame as the newest; never waits."""
        self._feed.publish(capture, segmentation)

    def check(self) -> None:
        """Raise `OutputError` if the server has failed."""
        self._server.check()

    def close(self) -> None:
        """Do nothing: other cameras are shown still."""


class _Feeds:
    """The feeds of all cameras, as a server takes one."""

    def __init__(self, feeds: Iterable[PageFeed]) -> None:
        self._feeds = tuple(feeds)

    def attach(self) -> None:
        for feed in self._feeds:
            feed.attach()

    async def run(self) -> None:
        await asyncio.gather(*(feed.run() for feed in self._feeds))

    def close(self) -> None:
        for feed in self._feeds:
            feed.close()

    def end_worker(self) -> None:
        for feed in self._feeds:
            feed.end_worker()


class TilesServer:
    """Serves the pages of several cameras at one address.

    Parameters
    ----------
    address : WebAddress
        Where it listens, and its limits, which are those of each camera.
    cameras : mapping of str to (Style, Meter)
        By name, as it is in the address: the look at first, and the readings.

    Raises
    ------
    OutputError
        The address cannot be listened on, and waiting would not change that.
    """

    def __init__(
        self, address: WebAddress, cameras: Mapping[str, tuple[Style, Meter]]
    ) -> None:
        self._address = address
        self._ended: dict[str, str] = {}
        self._pages = {
            name: RunPage(style, meter, address)
            for name, (style, meter) in cameras.items()
        }
        self._answers: dict[str, Pages] = {}
        self._html, self._policy = load_page("tiles.html")
        feeds = _Feeds(page.feed for page in self._pages.values())
        self._server = WebServer(address, feeds, self._app)

    @property
    def url(self) -> str | None:
        """The page's address, without a token; None while its port is waited for."""
        return self._server.url if self._server.state["connected"] else None

    @property
    def state(self) -> Json:
        """Whether the page can be opened; see `Sink.state`."""
        return self._server.state

    def sink(self, name: str) -> TileSink:
        """Return the sink of a camera."""
        return TileSink(self._pages[name].feed, self._server, name)

    def end(self, name: str, reason: str) -> None:
        """Show that a camera has ended, and why."""
        self._ended[name] = reason

    def close(self) -> None:
        """Stop the server, whoever is connected."""
        self._server.close()

    def _app(self, server: WebServer) -> ASGIApp:
        routes: list[Route | Mount] = [
            Route("/", self._page),
            Route("/icon.svg", self._icon),
            Route("/api/state", self._states),
            Route("/metrics", self._metrics),
            Route("/healthz", self._health),
        ]
        for name, page in self._pages.items():
            self._answers[name], stream = page.answers(
                lambda: server.connections, server.disconnect
            )
            routes.append(Route(f"/{name}", _into_folder))
            own = routes_of(self._answers[name], stream)
            routes.append(Mount(f"/{name}", routes=own))
        return behind_gate(routes, self._address)

    async def _page(self, request: Request) -> Response:
        headers = {"content-security-policy": self._policy}
        return Response(self._html, media_type="text/html", headers=headers)

    async def _icon(self, request: Request) -> Response:
        return Response(ICON, media_type="image/svg+xml")

    async def _states(self, request: Request) -> Response:
        states = []
        for name, page in self._pages.items():
            readings = page.meter.read().to_dict()
            known = {key: readings[key] for key in _STATE}
            states.append({"name": name, **known, "ended": self._ended.get(name)})
        return json_answer({"version": VERSION, "cameras": states})

    async def _metrics(self, request: Request) -> Response:
        texts = {
            name: await page.metrics_text() for name, page in self._answers.items()
        }
        return Response(join_metrics(texts), headers={"content-type": CONTENT_TYPE})

    async def _health(self, request: Request) -> Response:
        each = {n: page.meter.read() for n, page in self._pages.items()}
        since = {n: readings.last_frame_s for n, readings in each.items()}
        stale = self._address.stale
        late = [
            n
            for n, s in since.items()
            if (s is None or s > stale) and not each[n].paused
        ]
        status = "no frames" if late else "ok"
        health = {"status": status, "without_frames": late, "last_frame_s": since}
        return json_answer(health, 503 if late else 200)


async def _into_folder(request: Request) -> Response:
    """Send a browser from ``/door`` to ``/door/``, where relative addresses work."""
    name = request.scope["path"].rpartition("/")[2]
    return RedirectResponse(f"{name}/", 307)
