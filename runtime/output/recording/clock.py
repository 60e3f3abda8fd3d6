"""Time stamps of a recording: rising, whatever the captures' times are."""

from __future__ import annotations

STILLS_S = 0.5  # pictures that have no common time are shown this long each


class VideoClock:
    """Turns capture times into time stamps that always rise, the first being 0.

    Parameters
    ----------
    fps : float or None
        Frames a second where the source has such a rate: how long a frame lasts where
        no other follows.
    """

    def __init__(self, fps: float | None) -> None:
        self._step_s = 1 / fps if fps else None
        self._start_s = 0.0
        self._last_s: float | None = None
        self.frame_s = self._step_s or STILLS_S

    def stamp(self, time_s: float) -> float:
        """Return a frame's time stamp in seconds.

        A frame that is not later than the one before, as a folder's pictures, comes
        one frame's duration after it.

        Examples
        --------
        >>> clock = VideoClock(None)
        >>> [clock.stamp(time_s) for time_s in (3.0, 3.25, 3.25)]
        [0.0, 0.25, 0.5]
        """
        if self._last_s is None:
            self._start_s, self._last_s = time_s, 0.0
            return 0.0
        stamp = time_s - self._start_s
        if stamp > self._last_s:
            self.frame_s = self._step_s or stamp - self._last_s
        else:
            stamp = self._last_s + self.frame_s
            self._start_s = time_s - stamp  # later frames go on from here
        self._last_s = stamp
        return stamp

    def end(self, until_s: float | None) -> float:
        """Return the time stamp at which the last frame ends.

        Parameters
        ----------
        until_s : float or None
            Time of the frame that would follow; None: it lasts as long as others.
        """
        last_s = self._last_s or 0.0
        stamp = last_s if until_s is None else until_s - self._start_s
        return stamp if stamp > last_s else last_s + self.frame_s
