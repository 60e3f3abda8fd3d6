"""What all cameras and streams have in common."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from edgeseg.runtime.capture.feed import PATIENCE, FrameFeed, Patience
from edgeseg.runtime.capture.source import AS_IT_COMES, Capture, CaptureOptions, Source
from edgeseg.runtime.capture.upright import fitted, rotated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json
    from edgeseg.runtime.capture.feed import Connection

_LOG = logging.getLogger(__name__)
_JOIN_S = 2.0  # seconds for the thread to end; a hanging driver may take longer


class LiveSource(Source):
    """The newest frames of a camera or stream, for as long as it is wanted.

    It is connected when this returns. A failure later on is in the log and in
    `state`, and it connects again: after half a second, then twice as long each time,
    at most ten seconds. The first frame's size is the size of all: where a stream
    comes back with another one, its frames are scaled into the first, aspect kept.

    Parameters
    ----------
    connect : callable
        Makes a `Connection`.
    prefix : str
        Frames are called after it: ``camera0_000123``.
    what : str
        What messages call the source; holds no secrets.
    options : CaptureOptions
        With ``wait`` set, a first connection that fails is no error: it is tried
        again like any other, and the log says once what is waited for. What another
        try cannot mend, as a missing package or a wrong password, is raised by
        `captures`.
    patience : Patience
        Time limits.

    Raises
    ------
    InputError
        The first connection failed.
    MissingDriverError
        A package or program is not installed.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        *,
        prefix: str,
        what: str,
        options: CaptureOptions = AS_IT_COMES,
        patience: Patience = PATIENCE,
    ) -> None:
        self._prefix, self._what, self._options = prefix, what, options
        self._size_wh: tuple[int, int] | None = None
        self._changed_size = False
        wait = options.wait
        self._feed = FrameFeed(connect, what=what, patience=patience, wait=wait)
        self._feed.start()
        if not wait:
            try:
                self._feed.wait_for_frame()
            except BaseException:
                self.close()
                raise

    @property
    def count(self) -> None:
        """None: it does not end."""
        return None

    @property
    def fps(self) -> float | None:
        """What the camera or stream says, or was asked for."""
        fps = self._feed.state.get("fps")
        return float(fps) if fps else self._options.fps

    @property
    def live(self) -> bool:
        """True."""
        return True

    @property
    def dropped(self) -> int:
        """How many frames newer ones have replaced before `captures` took them."""
        return self._feed.dropped

    @property
    def state(self) -> Json:
        """``connected``, ``reconnects``, ``error``, ``tries``, and the connection's.

        ``error`` is the last one while it is not connected, without any user,
        password or query of an address; ``size_wh`` is the size of all frames.
        """
        size = {"size_wh": list(self._size_wh)} if self._size_wh else {}
        return {**self._feed.state, **size}

    def captures(self, skip: frozenset[str] = frozenset()) -> Iterator[Capture]:
        """Give the newest frames until `stop` or `close`."""
        index, first_s = 0, None
        while (taken := self._feed.take()) is not None:
            frame, captured_s, output = taken
            first_s = captured_s if first_s is None else first_s
            name = f"{self._prefix}_{index:06d}"
            index += 1
            if name not in skip:
                time_s = captured_s - first_s
                yield Capture(self._upright(frame), name, time_s, captured_s, output)

    def stop(self) -> None:
        """Make `captures` end at once; called from any thread."""
        self._feed.stop()

    def close(self) -> None:
        """Disconnect."""
        self._feed.stop()
        self._feed.join(_JOIN_S)

    def _upright(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        upright = rotated(frame, self._options.rotate)
        size_wh = upright.shape[1], upright.shape[0]
        self._size_wh = self._size_wh or size_wh
        if size_wh != self._size_wh and not self._changed_size:
            self._changed_size = True
            _LOG.warning(
                "%s: the picture is %dx%d now; it is scaled into %dx%d as before",
                *(self._what, *size_wh, *self._size_wh),
            )
        return fitted(upright, self._size_wh)
