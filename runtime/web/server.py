"""The server: a thread with an event loop of its own, beside the pipeline.

All of the page put together.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

import uvicorn

from edgeseg.devices import OutputError
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.output.connection import OutputConnection
from edgeseg.runtime.web.app import make_app
from edgeseg.runtime.web.connections import ClientConnection, cut_late
from edgeseg.runtime.web.listening import is_late, listen
from edgeseg.runtime.web.run_page import RunPage

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Scope

    from edgeseg.devices.types import Json, Untyped
    from edgeseg.runtime.output.sink import Style
    from edgeseg.runtime.pipeline.meter import Meter
    from edgeseg.runtime.web.address import WebAddress
    from edgeseg.runtime.web.feed import PageFeed


_logger = logging.getLogger(__name__)
_START_LIMIT_S, _STOP_LIMIT_S = 10.0, 3.0
_SWEEP_S = 1.0


class ServedFeed(Protocol):
    """What a server runs beside its answers: the pictures of one camera, or of many."""

    def attach(self) -> None:
        """Bind to the running event loop."""

    async def run(self) -> None:
        """Encode while somebody watches, until cancelled."""

    def close(self) -> None:
        """Let everybody who waits go."""

    def end_worker(self) -> None:
        """End the drawing thread; nothing can be drawn from now on."""


class WebServer:
    """Serves an application from its construction until it is closed.

    Where its place is not free yet, it is waited for in the server's thread.

    Parameters
    ----------
    address : WebAddress
        Where to listen.
    feed : ServedFeed
        Run on the server's event loop.
    make_app : callable
        Returns the application for this server.

    Raises
    ------
    OutputError
        The address cannot be listened on, and waiting would not change that.
    """

    def __init__(
        self,
        address: WebAddress,
        feed: ServedFeed,
        make_app: Callable[[WebServer], ASGIApp],
    ) -> None:
        self._address, self._feed = address, feed
        self._uvicorn = uvicorn.Server(_config(make_app(self)))
        place = f"the page's address {address.url(address.port)}"
        self._connection = OutputConnection(place, _logger, made="listening at")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listens, self._closing = threading.Event(), threading.Event()
        self._failure: BaseException | None = None
        self._socket = self._try_to_listen()
        self._thread = threading.Thread(target=self._run, name="edgeseg-web")
        self._thread.daemon = True
        self._thread.start()
        if self._socket is not None:
            self._listens.wait(_START_LIMIT_S)
        try:
            self.check()
        except OutputError:
            self.close()
            raise

    @property
    def state(self) -> Json:
        """See `Sink.state`."""
        return self._connection.state

    @property
    def port(self) -> int:
        """Where it listens, or will."""
        listening = self._socket
        port = self._address.port if listening is None else listening.getsockname()[1]
        return int(port)

    @property
    def url(self) -> str:
        """The page's address."""
        return self._address.url(self.port)

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._uvicorn.server_state.connections)

    def check(self) -> None:
        """Raise `OutputError` if the server has ended by itself."""
        if self._failure is not None:
            raise OutputError(
                f"web: the server at {self.url} failed: "
                f"{type(self._failure).__name__}: {self._failure}"
            ) from self._failure

    def disconnect(self, scope: Scope) -> None:
        """Cut the connection that a request came by."""
        for connection in self._open():
            if connection.client == scope.get("client"):
                connection.transport.abort()

    def close(self) -> None:
        """Stop within a second, whoever is connected."""
        self._closing.set()
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._begin_stop)
        self._thread.join(_STOP_LIMIT_S)
        if self._socket is not None:
            self._socket.close()

    def _open(self) -> list[Untyped]:
        return list(self._uvicorn.server_state.connections)

    def _begin_stop(self) -> None:
        self._feed.close()
        self._uvicorn.should_exit = True
        asyncio.get_running_loop().call_later(0.4, self._cut_all)

    def _cut_all(self) -> None:
        self._uvicorn.force_exit = True
        for connection in self._open():
            connection.transport.abort()

    def _try_to_listen(self) -> socket.socket | None:
        """Return a socket; None, with the reason noted, where its place is not free."""
        try:
            listening = listen(self._address)
        except OutputError as error:
            cause = error.__cause__
            if cause is None or not is_late(cause):
                raise
            self._connection.failed(
                f"{reason_of(cause)}; another port can be chosen, or 0 for a free one"
            )
            return None
        self._connection.made()
        return listening

    def _wait_for_place(self) -> None:
        while self._socket is None:
            if self._closing.wait(self._connection.next_pause_s()):
                return
            self._socket = self._try_to_listen()

    def _run(self) -> None:
        try:
            self._wait_for_place()
            if self._socket is not None:
                asyncio.run(self._serve(self._socket))
        except BaseException as error:  # raised by `check`, in the pipeline's thread
            self._failure = error
        finally:
            self._listens.set()

    async def _serve(self, listening: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        if self._closing.is_set():  # since before there was a loop to say it to
            return
        # one thread for readings, whatever is asked at once: threads are to be few
        self._loop.set_default_executor(ThreadPoolExecutor(1, "edgeseg-web-read"))
        self._feed.attach()
        serving = asyncio.ensure_future(self._uvicorn.serve([listening]))
        beside = [asyncio.ensure_future(f()) for f in (self._feed.run, self._sweep)]
        try:
            while not (self._uvicorn.started or serving.done()):
                await asyncio.sleep(0.005)
            if self._uvicorn.started:  # a failure is known first
                self._listens.set()
            everything = [serving, *beside]
            await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
            for task in everything:
                if task.done():
                    task.result()
            if requests := set(self._uvicorn.server_state.tasks):
                await asyncio.wait(requests, timeout=1)  # what is being answered
        finally:
            for task in beside:
                task.cancel()
            self._feed.close()
            self._feed.end_worker()

    async def _sweep(self) -> None:
        """Cut connections that never finish asking, or never start."""
        while True:
            await asyncio.sleep(_SWEEP_S)
            cut_late(self._open())


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=ClientConnection,
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",  # a stranger's malformed request is no news to the user
        access_log=False,  # it would show tokens
        proxy_headers=False,
        server_header=False,
        h11_max_incomplete_event_size=16 * 1024,
        timeout_graceful_shutdown=1,
    )


def serve(
    address: WebAddress, style: Style, meter: Meter
) -> tuple[PageFeed, WebServer]:
    """Start a page's server.

    Parameters
    ----------
    address : WebAddress
        Where it listens, and its limits.
    style : Style
        The look at first; its painter is used by the server's thread alone.
    meter : Meter
        Gives the readings.

    Returns
    -------
    feed : PageFeed
        Takes the frames.
    server : WebServer
        Listens.

    Raises
    ------
    OutputError
        The address cannot be listened on, and waiting would not change that.
    """
    page = RunPage(style, meter, address)

    def application(server: WebServer) -> ASGIApp:
        answers = page.answers(lambda: server.connections, server.disconnect)
        return make_app(*answers, address)

    return page.feed, WebServer(address, page.feed, application)
