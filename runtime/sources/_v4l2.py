"""Cameras of the kernel (V4L2): which there are, and why one cannot be used."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from edgeseg.devices import InputError

_DEVICES = Path("/dev")


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
    edgeseg.devices._errors.InputError: expected a camera's number or /dev/videoN, ...
    """
    number = re.fullmatch(r"\d{1,3}", text or "0")
    if not number and "/" not in text:
        raise InputError(f"expected a camera's number or /dev/videoN, got {text!r}")
    path = devices / f"video{int(number[0])}" if number else Path(text)
    if not path.exists():
        raise InputError(f"no such camera: {path} ({_present(devices)})")
    if not stat.S_ISCHR(path.stat().st_mode):
        raise InputError(f"{path} is no camera: expected a device file /dev/videoN")
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
