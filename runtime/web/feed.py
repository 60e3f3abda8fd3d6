"""The newest frame, drawn and encoded once for everybody who watches.

`Feed.publish` is called by the pipeline and only remembers; everything else runs on
the server's event loop, drawing and encoding in one worker thread of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import EdgesegError, OutputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.capture.source import Capture
    from edgeseg.runtime.drawing.look import Look
    from edgeseg.runtime.segmentation.segmenter import Segmentation
    from edgeseg.runtime.zones.events import Event

    Draw = Callable[[Capture, Segmentation, Look], NDArray[np.uint8]]


_EVENTS = 50  # that the page shows


@dataclass(frozen=True)
class Newest:
    """A finished frame and its running number, from 1."""

    number: int
    capture: Capture
    segmentation: Segmentation


@dataclass(frozen=True)
class EncodedPicture:
    """An encoded picture and the running number of the encoding, from 1."""

    number: int
    jpeg: bytes


class PageFeed:
    """Turns the newest frame into one JPEG for all clients.

    Parameters
    ----------
    draw : callable
        Draws a capture with its segmentation in a look; called by one thread.
    look : Look
        How to draw at first.
    table : ndarray
        ``(256, 3)`` uint8 RGB, the colours of the mask's palette.
    fps : float
        Pictures a second at most.
    quality : int
        JPEG quality.
    """

    def __init__(
        self,
        draw: Draw,
        look: Look,
        table: NDArray[np.uint8],
        *,
        fps: float,
        quality: int,
    ) -> None:
        self._draw, self._table = draw, table
        self._pause, self._quality = 1 / fps, quality
        self.look = look
        self.watchers = 0
        self.failure: str | None = None
        self.closing = False
        self.events: deque[Event] = deque(maxlen=_EVENTS)
        self._newest: Newest | None = None
        self._picture: EncodedPicture | None = None
        self._drawn: tuple[int, Look] | None = None
        self._mask: tuple[int, bytes] | None = None
        self._encoded_s = -1e9
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="edgeseg-web-draw")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = threading.Event()

    def publish(self, capture: Capture, segmentation: Segmentation) -> None:
        """Remember a frame as the newest; returns at once, from any one thread."""
        number = self._newest.number + 1 if self._newest else 1
        self._newest = Newest(number, capture, segmentation)
        self.events.extend(segmentation.events)
        if self.watchers and not self._woken.is_set() and self._loop is not None:
            self._woken.set()  # one wake-up under way is enough
            with contextlib.suppress(RuntimeError):  # the server has just ended
                self._loop.call_soon_threadsafe(self._changed.set)

    @property
    def newest(self) -> Newest | None:
        """The newest frame, None before the first."""
        return self._newest

    async def run(self) -> None:
        """Encode while somebody watches, until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._woken.clear()
            if self.watchers:
                await self._try_encode()
                late = self._encoded_s + self._pause - time.monotonic()
                await asyncio.sleep(max(0.0, late))

    async def picture_after(self, number: int) -> EncodedPicture | None:
        """Wait for a picture newer than a number; None once the server stops."""
        while not self.closing:
            if self._picture is not None and self._picture.number > number:
                return self._picture
            await self._news.wait()
        return None

    def attach(self) -> None:
        """Bind to the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._changed, self._news = asyncio.Event(), asyncio.Event()
        self._lock = asyncio.Lock()

    def join(self) -> int:
        """Count a client in that watches from now on.

        Returns
        -------
        int
            The number after which it wants pictures.
        """
        self.watchers += 1
        self._changed.set()
        seen = self._picture.number if self._picture else 0
        newest = self._newest
        fresh = newest is not None and self._drawn == (newest.number, self.look)
        return seen - 1 if fresh else seen

    def leave(self) -> None:
        """Count a client out."""
        self.watchers -= 1

    async def snapshot(self) -> bytes | None:
        """Return the current picture as JPEG; None before the first frame.

        Raises
        ------
        EdgesegError
            It cannot be drawn.
        """
        soon = time.monotonic() - self._encoded_s < self._pause
        if not (soon and self._drawn and self._drawn[1] == self.look):
            await self._encode(self.look)
        return self._picture.jpeg if self._picture else None

    async def mask(self) -> bytes | None:
        """Return the newest class ids as a palette PNG; None before the first frame."""
        async with self._lock:
            newest = self._newest
            if newest is None:
                return None
            if self._mask is None or self._mask[0] != newest.number:
                ids = newest.segmentation.ids
                png = await self._in_worker(_png, ids, self._table)
                self._mask = newest.number, png
            return self._mask[1]

    async def change_look(self, look: Look) -> None:
        """Draw in another look from now on, if the newest frame can be drawn in it.

        Raises
        ------
        EdgesegError
            It cannot; everything stays as it was.
        """
        await self._encode(look)
        self.look, self.failure = look, None
        self._changed.set()

    def close(self) -> None:
        """Let everybody who waits go."""
        self.closing = True
        self._news.set()

    def end_worker(self) -> None:
        """End the drawing thread; nothing can be drawn from now on."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    async def _try_encode(self) -> None:
        try:
            await self._encode(self.look)
            self.failure = None
        except EdgesegError as error:
            self.failure = str(error)

    async def _encode(self, look: Look) -> None:
        async with self._lock:
            newest = self._newest
            if newest is None or self._drawn == (newest.number, look):
                return
            self._encoded_s = time.monotonic()
            jpeg = await self._in_worker(self._jpeg, newest, look)
            self._picture = EncodedPicture(
                self._picture.number + 1 if self._picture else 1, jpeg
            )
            self._drawn = newest.number, look
            self._news.set()
            self._news = asyncio.Event()

    async def _in_worker(
        self, function: Callable[..., bytes], *values: object
    ) -> bytes:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._worker, function, *values)

    def _jpeg(self, newest: Newest, look: Look) -> bytes:
        import cv2

        drawn = self._draw(newest.capture, newest.segmentation, look)
        bgr = cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR)
        done, encoded = cv2.imencode(
            ".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, self._quality]
        )
        if not done:
            raise OutputError(
                f"web: a picture of {drawn.shape[1]}x{drawn.shape[0]} pixels cannot be "
                "written as JPEG, which ends at 65535 a side"
            )
        return encoded.tobytes()


def _png(ids: NDArray[np.uint8], table: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    image = Image.fromarray(ids)
    image.putpalette(table.reshape(768).tobytes())
    target = io.BytesIO()
    image.save(target, "PNG", compress_level=1)
    return target.getvalue()
