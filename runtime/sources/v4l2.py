"""A camera by its device: ``v4l2:/dev/video0``, ``v4l2:/dev/video0,fourcc=MJPG``."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from edgeseg.devices import InputError, RejectedError
from edgeseg.runtime.address import CAMERAS, AddressKind, Rest
from edgeseg.runtime.capture.live import LiveSource
from edgeseg.runtime.capture.opencv import OpencvConnection
from edgeseg.runtime.capture.source import AS_IT_COMES, CaptureOptions

_DEVICES = Path("/dev")
_BUSY = (
    ": it is no capture device, or another program uses it "
    "(v4l2-ctl --list-devices, fuser -v)"
)


class V4l2Source(LiveSource):
    """Frames of a USB or other kernel camera, through OpenCV.

    What was asked for and what the camera agreed to may differ: ``state`` has the
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
    if "," not in text or Path(text).exists():  # a device's name may hold one
        return text or "0", None
    where, _, option = text.rpartition(",")
    code = re.fullmatch(r"fourcc=([A-Za-z0-9]{4})", option)
    if not code:
        raise InputError(
            f"camera: expected fourcc= and four letters, such as MJPG or YUYV, got "
            f"{option!r}"
        )
    return where or "0", code[1].upper()


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


def camera_path(text: str, devices: Path = _DEVICES) -> Path:
    """Return the device file of a camera that can be opened.

    Parameters
    ----------
    text : str
        A number, ``0`` for ``/dev/video0``, or a path, such as one below
        ``/dev/v4l/by-id``, which stays the same when other cameras come and go.
    devices : Path
        Folder of the device files.

    Raises
    ------
    InputError
        There is no such camera (the message lists those there are), it is no device,
        or this user may not open it.

    Examples
    --------
    >>> camera_path("first")
    Traceback (most recent call last):
    edgeseg.devices.errors.RejectedError: expected a camera's number or /dev/videoN, ...
    """
    number = re.fullmatch(r"\d{1,3}", text or "0")
    if not number and "/" not in text:
        raise RejectedError(f"expected a camera's number or /dev/videoN, got {text!r}")
    path = devices / f"video{int(number[0])}" if number else Path(text)
    if not path.exists():
        raise InputError(f"no such camera: {path} ({_present(devices)})")
    if not stat.S_ISCHR(path.stat().st_mode):
        raise RejectedError(f"{path} is no camera: expected a device file /dev/videoN")
    if not os.access(path, os.R_OK | os.W_OK):
        raise InputError(
            f"no permission for {path}: add this user to the group video (sudo usermod "
            '-aG video "$USER") and log in again'
        )
    return path


def _present(devices: Path) -> str:
    found = sorted(
        devices.glob("video[0-9]*"), key=lambda path: (len(path.name), path.name)
    )
    if not found:
        return "there is none here: is it plugged in, and its driver loaded?"
    return f"there are {', '.join(map(str, found))}"


ADDRESS = AddressKind(Rest.DEVICE_NODE, options=",", nodes=CAMERAS)
PLUGIN = V4l2Source
