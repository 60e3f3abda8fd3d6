"""Frames that a program has itself, as a source for `run_pipeline`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from edgeseg.runtime.capture.source import Capture, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    from numpy.typing import NDArray


class FrameSource(Source):
    """Gives the frames of any iterable, such as a generator that reads a camera.

    Parameters
    ----------
    frames : iterable of ndarray
        Each ``(H, W, 3)`` uint8 RGB, and not changed afterwards. Of a camera, its
        next frame should come, or the iterable end, within half a second, as a run
        that is to stop waits for that.
    fps : float or None
        Frames a second, from which their times follow; None for those of a camera,
        whose times are taken from the clock, or for pictures without a common time.
    live : bool
        Only the newest frame is of use: those that come while the network is busy are
        left out.
    name : str
        What outputs are named after, with a number behind it.

    Examples
    --------
    >>> import numpy as np
    >>> black = np.zeros((48, 64, 3), np.uint8)
    >>> [capture.time_s for capture in FrameSource([black] * 3, fps=10).captures()]
    [0.0, 0.1, 0.2]
    """

    def __init__(
        self,
        frames: Iterable[NDArray[np.uint8]],
        *,
        fps: float | None = None,
        live: bool = False,
        name: str = "frame",
    ) -> None:
        self._frames, self._fps = frames, fps
        self._live, self._name = live, name
        self._stopped = False

    @property
    def count(self) -> int | None:
        """None: an iterable does not say."""
        return None

    @property
    def fps(self) -> float | None:
        """Frames a second, where they were given."""
        return self._fps

    @property
    def live(self) -> bool:
        """Whether only the newest frame is of use."""
        return self._live

    def stop(self) -> None:
        """End `captures` with the next frame."""
        self._stopped = True

    def captures(self, skip: frozenset[str] = frozenset()) -> Iterator[Capture]:
        """Give the frames."""
        start: float | None = None
        for index, frame in enumerate(self._frames):
            if self._stopped:
                return
            now = time.monotonic()
            start = now if start is None else start
            time_s = now - start if self._fps is None else index / self._fps
            name = f"{self._name}_{index:06d}"
            if name not in skip:
                yield Capture(frame, name, time_s, now)
