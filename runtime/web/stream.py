"""``/stream.mjpg``: one JPEG after the other, always the newest (RFC 2046, 5.1)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from edgeseg.devices.types import Untyped
    from edgeseg.runtime.web.feed import PageFeed

    Message = MutableMapping[str, Untyped]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

_BOUNDARY = b"edgeseg-frame"
_SEND_LIMIT_S = 10.0  # a client that took nothing for so long is gone


class MultipartStream:
    """The ASGI application that serves the stream.

    A client that is slower than the stream gets fewer pictures: nothing queues up
    for it but the one that is being sent. One that takes nothing is disconnected.

    Parameters
    ----------
    feed : PageFeed
        Gives the pictures.
    limit : int
        Clients at once.
    disconnect : callable
        Cuts the connection of a request's ``scope``.
    """

    def __init__(
        self, feed: PageFeed, limit: int, disconnect: Callable[[Message], None]
    ) -> None:
        self._feed, self._limit, self._disconnect = feed, limit, disconnect

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if self._feed.watchers >= self._limit:
            await _refuse(send, self._limit)
            return
        await send(_start(200, _HEADERS))
        if scope["method"] == "HEAD":
            await send(_body(b"", more=False))
            return
        number = self._feed.join()
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            await self._send_pictures(scope, send, gone, number)
        finally:
            self._feed.leave()
            gone.cancel()

    async def _send_pictures(
        self, scope: Message, send: Send, gone: asyncio.Future[None], number: int
    ) -> None:
        await send(_body(b"--" + _BOUNDARY + b"\r\n"))
        while not gone.done():
            wanted = asyncio.ensure_future(self._feed.picture_after(number))
            first: set[asyncio.Future[Untyped]] = {wanted, gone}
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
            if not wanted.done():
                wanted.cancel()
                return
            picture = wanted.result()
            if picture is None:
                await send(_body(b"", more=False))
                return
            number = picture.number
            if not await self._sent(scope, send, gone, _part(picture.jpeg)):
                return

    async def _sent(
        self, scope: Message, send: Send, gone: asyncio.Future[None], part: bytes
    ) -> bool:
        try:
            await asyncio.wait_for(send(_body(part)), _SEND_LIMIT_S)
        except (TimeoutError, asyncio.TimeoutError):
            self._disconnect(scope)
            await asyncio.wait({gone}, timeout=1)
            return False
        return True


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _refuse(send: Send, limit: int) -> None:
    text = b'{"error": "all %d streams are taken: try again later"}' % limit
    headers = {
        b"content-type": b"application/json",
        b"content-length": b"%d" % len(text),
        b"retry-after": b"5",
        b"connection": b"close",
    }
    await send(_start(503, headers))
    await send(_body(text, more=False))


def _part(jpeg: bytes) -> bytes:
    # the next boundary goes out with the picture: browsers show a part only then
    head = b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg)
    return head + jpeg + b"\r\n--" + _BOUNDARY + b"\r\n"


def _start(status: int, headers: dict[bytes, bytes]) -> Message:
    return {
        "type": "http.response.start",
        "status": status,
        "headers": list(headers.items()),
    }


def _body(content: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": content, "more_body": more}


_HEADERS = {
    b"content-type": b"multipart/x-mixed-replace; boundary=" + _BOUNDARY,
    b"connection": b"close",
}
