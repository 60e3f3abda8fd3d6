"""Video file of the drawn frames: ``clip.mp4`` or ``video:FILE``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.output.recording.dated_name import DatedName
from edgeseg.runtime.output.recording.events import EventRecorder
from edgeseg.runtime.output.recording.options import video_options
from edgeseg.runtime.output.recording.piece import warn_without_pyav
from edgeseg.runtime.output.recording.recorder import Recorder
from edgeseg.runtime.output.recording.sound import open_sound
from edgeseg.runtime.output.recording.trigger import class_trigger
from edgeseg.runtime.output.sink import Sink
from edgeseg.runtime.output.streaming import FirstSize
from edgeseg.runtime.output.video_opencv import CODECS
from edgeseg.runtime.pictures.atomic import check_writable

if TYPE_CHECKING:
    from edgeseg.devices.types import Json
    from edgeseg.runtime.capture.source import Capture
    from edgeseg.runtime.output.sink import Style
    from edgeseg.runtime.segmentation.segmenter import Segmentation


class VideoSink(Sink):
    """Records what is drawn, each frame at its capture time.

    With PyAV (the extra ``video``) an ``.mp4``, ``.mov`` or ``.mkv`` holds H.264 with
    true time stamps; without it, and in an ``.avi``, all frames last equally long.

    A recording grows under the name ``clip.part.mp4`` and takes its own at the end,
    also when the run ends early or the disk is full. With PyAV the part file plays at
    any moment: after a power cut or a kill, all but the last second is there. Where a
    part file is found, the next recording first puts it aside as
    ``clip.unfinished-1.mp4``: nothing recorded is overwritten unfinished.

    A name with dates, options, or a live source make a recording that lasts: it
    replaces no file, and waits for room where the disk is nearly full.

    Parameters
    ----------
    text : str
        File name that ends in .mp4, .mkv, .mov or .avi, in which codes of strftime
        stand for the time of the first frame; then options, see `RecordingOptions`.
    style : Style
        How to draw, the frame rate, and whether the source is live.
    """

    def __init__(self, text: str, style: Style) -> None:
        place, given = ADDRESS.split(text)
        options = video_options(given)
        name = DatedName(place)
        if name.suffix.lower() not in CODECS:
            raise InputError(
                f"expected a video name that ends in {', '.join(CODECS)}, got {place}"
            )
        check_writable(name.at(time.time()))
        warn_without_pyav(name.suffix)
        self._style = style
        self._size = FirstSize()
        lasting = name.is_dated or bool(given) or style.live
        sound = open_sound(style, options.audio, name.suffix)
        self._recorder = Recorder(
            name, options, style.fps, lasting=lasting, sound=sound
        )
        self._events: EventRecorder | None = None
        if options.on:
            self._trigger = class_trigger(options.on, options.area, style.manifest)
            self._events = EventRecorder(
                self._recorder, style.fps, options.before_s, options.after_s
            )

    def write(self, capture: Capture, segmentation: Segmentation) -> None:
        """Append one frame, letterboxed to the first one's size where it differs."""
        frame = self._size.fit(self._style.draw(capture, segmentation))
        clock_s = time.time() - (time.monotonic() - capture.captured_s)
        if self._events is None:
            self._recorder.write(frame, capture.time_s, clock_s)
        else:
            active = self._trigger(segmentation)
            self._events.write(frame, capture.time_s, clock_s, active=active)

    def check(self) -> None:
        """Raise `OutputError` if the recording or its folder was removed."""
        self._recorder.check()

    @property
    def state(self) -> Json:
        """Whether a recording that lasts has room on the disk."""
        return self._recorder.state

    def close(self) -> None:
        """Finish the file and give it its name."""
        (self._events or self._recorder).close()


ADDRESS = AddressKind(
    Rest.FILE,
    bare=(".mp4", ".mkv", ".avi", ".mov"),
    options="?",
    name_is_path=True,
    dated=True,
)
PLUGIN = VideoSink
