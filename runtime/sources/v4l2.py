"""A camera by its device: ``v4l2:/dev/video0``, ``v4l2:/dev/video0,fourcc=MJPG``."""

from __future__ import annotations

import re

from edgeseg.devices import InputError
from edgeseg.runtime.sources._base import AS_IT_COMES, CaptureOptions
from edgeseg.runtime.sources._live import LiveSource
from edgeseg.runtime.sources._opencv_connection import OpencvConnection
from edgeseg.runtime.sources._v4l2 import camera_path

_BUSY = (
    ": it is no capture device, or another program uses it "
    "(v4l2-ctl --list-devices, fuser -v)"
)


class V4l2Source(LiveSource):
    """Frames of a USB or other kernel camera, through OpenCV.

    What was asked for and what the camera agreed to may differ: ``state`` tells the
    latter as ``given_wh``, ``fps`` and ``fourcc``.

    Parameters
    ----------
    text : str
        A device file or a camera's number; after a comma ``fourcc=MJPG`` or another
        pixel format. USB cameras need MJPG for large pictures at full rate.
    options : CaptureOptions
        Size and rate to ask for; rotation.

    Raises
    ------
    InputError
        There is no such camera, it may not be opened, or it gives no frames.
    """

    def __init__(self, text: str = "0", options: CaptureOptions = AS_IT_COMES) -> None:
        where, fourcc = _parts(text)
        wanted = _wanted(options, fourcc)

        def connect() -> OpencvConnection:
            # looked up each time: a camera that was plugged in again is found
            return OpencvConnection(
                str(camera_path(where)), "V4L2", wanted=wanted, advice=_BUSY
            )

        name = re.sub(r"\W+", "_", where.rpartition("/")[2] or "0")
        prefix = f"camera{name}" if name.isdecimal() else name
        super().__init__(
            connect, prefix=prefix, what=f"camera {where}", options=options
        )


def _parts(text: str) -> tuple[str, str | None]:
    where, comma, option = text.partition(",")
    code = re.fullmatch(r"fourcc=([A-Za-z0-9]{4})", option)
    if comma and not code:
        raise InputError(
            f"camera: expected fourcc= and four letters, such as MJPG or YUYV, got "
            f"{option!r}"
        )
    return where or "0", code[1].upper() if code else None


def _wanted(options: CaptureOptions, fourcc: str | None) -> dict[str, float]:
    """Return the properties to ask for, the pixel format first: it decides on rates."""
    wanted: dict[str, float] = {}
    if fourcc:
        wanted["FOURCC"] = int.from_bytes(fourcc.encode("ascii"), "little")
    if options.size_wh:
        wanted["FRAME_WIDTH"], wanted["FRAME_HEIGHT"] = options.size_wh
    if options.fps:
        wanted["FPS"] = options.fps
    wanted["BUFFERSIZE"] = 1  # no queue of old frames in the driver
    return wanted


PLUGIN = V4l2Source
