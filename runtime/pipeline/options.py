"""Which frames a run segments, how many, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import InputError

if TYPE_CHECKING:
    from edgeseg.runtime.pipeline.region import Region


@dataclass(frozen=True)
class PipelineOptions:
    """Which frames are segmented, how many, and how.

    Parameters
    ----------
    every : int
        One frame of so many.
    fps : float or None
        Frames a second at most. Frames of a file are chosen by their time stamps, so
        that a video written at this rate plays at true speed; a live source is slowed
        down to it.
    frames : int or None
        The run ends after so many frames.
    seconds : float or None
        The run ends after so many seconds: of the recording where the source is one,
        else on the clock.
    smoothing : float
        0 takes each frame alone; up to below 1, how much of the frames before stays
        in the scores, against flicker. Models that give class ids instead of scores
        need more than 0.5.
    follow_motion : bool
        Smoothing moves what stays as the picture moves, and leaves nothing where
        something else is seen: a moving view has no trail.
    region : Region or None
        The part of each frame that is segmented; what is outside is background.

    Raises
    ------
    InputError
        A value is none of these.
    """

    every: int = 1
    fps: float | None = None
    frames: int | None = None
    seconds: float | None = None
    smoothing: float = 0.0
    follow_motion: bool = False
    region: Region | None = None

    def __post_init__(self) -> None:
        if self.every < 1:
            raise InputError(f"every: expected 1 or more, got {self.every}")
        if self.fps is not None and not 0 < self.fps <= 1000:
            raise InputError(f"fps: expected 0..1000, got {self.fps}")
        if self.frames is not None and self.frames < 1:
            raise InputError(f"frames: expected 1 or more, got {self.frames}")
        if self.seconds is not None and not self.seconds > 0:
            raise InputError(f"seconds: expected more than 0, got {self.seconds}")
        if not 0 <= self.smoothing < 1:
            raise InputError(f"smooth: expected 0 up to below 1, got {self.smoothing}")
        if self.follow_motion and not self.smoothing:
            raise InputError(
                "follow motion: expected smoothing beside it, such as 0.5, got 0"
            )

    def rate(self, source_fps: float | None) -> float | None:
        """Return the frames a second that sinks are given, None where unknown.

        Parameters
        ----------
        source_fps : float or None
            Frames a second of the source.

        Examples
        --------
        >>> PipelineOptions(every=2).rate(25.0), PipelineOptions(fps=10).rate(25.0)
        (12.5, 10)
        """
        if source_fps is None:
            return self.fps
        chosen = source_fps / self.every
        return chosen if self.fps is None else min(chosen, self.fps)
