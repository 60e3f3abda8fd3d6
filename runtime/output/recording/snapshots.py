"""Pictures of single moments under dated names: at events, or now and then."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.output.recording.clock import VideoClock
from edgeseg.runtime.output.recording.recorder import is_full_disk
from edgeseg.runtime.output.recording.space import Space
from edgeseg.runtime.output.recording.trigger import class_trigger

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edgeseg.devices.types import Json
    from edgeseg.runtime.capture.source import Capture
    from edgeseg.runtime.model.manifest import Manifest
    from edgeseg.runtime.output.recording.dated_name import DatedName
    from edgeseg.runtime.output.recording.options import RecordingOptions
    from edgeseg.runtime.segmentation.segmenter import Segmentation


class Snapshots:
    """Chooses frames, and writes each under a name of its own.

    Without events it takes every frame, or one in so many seconds. Of an event it
    takes the first frame, and with such a time further ones while it lasts.

    Parameters
    ----------
    name : DatedName
        Of the files; without dates each picture replaces the one before.
    options : RecordingOptions
        Events, intervals, and what is kept.
    manifest : Manifest
        Gives the classes of events.

    Raises
    ------
    InputError
        There is no such class.
    """

    def __init__(
        self, name: DatedName, options: RecordingOptions, manifest: Manifest
    ) -> None:
        self._name, self._options = name, options
        self._trigger = (
            class_trigger(options.on, options.area, manifest) if options.on else None
        )
        self._space = Space(name, options)
        self._clock = VideoClock(None)
        self._until_s = self._next_s = float("-inf")

    @property
    def state(self) -> Json:
        """Whether there is room on the disk; see `Sink.state`."""
        return self._space.state

    def take(
        self,
        capture: Capture,
        segmentation: Segmentation,
        write: Callable[[Path], object],
    ) -> None:
        """Write a frame if it is one of those that are wanted.

        Parameters
        ----------
        capture, segmentation : Capture, Segmentation
            The frame and its classes.
        write : callable
            Called with the file's path; raises `OutputError` where it cannot write.

        Raises
        ------
        OutputError
            It cannot be written, for another reason than a full disk.
        """
        if not self._is_wanted(self._clock.stamp(capture.time_s), segmentation):
            return
        if not self._space.has_room():
            return
        clock_s = time.time() - (time.monotonic() - capture.captured_s)
        dated = self._name.is_dated
        path = self._name.free_at(clock_s) if dated else self._name.at(clock_s)
        try:
            write(path)
        except OSError as error:
            if not is_full_disk(error):
                raise
            self._space.is_full(reason_of(error))

    def _is_wanted(self, now_s: float, segmentation: Segmentation) -> bool:
        options, begins = self._options, False
        if self._trigger is not None:
            if not self._trigger(segmentation):
                return False
            begins = now_s > self._until_s
            self._until_s = now_s + options.after_s
            if not begins and not options.every_s:
                return False
        if not begins and now_s < self._next_s:
            return False
        self._next_s = now_s + options.every_s
        return True
