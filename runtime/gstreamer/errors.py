"""From what ``gst-launch-1.0`` says to one line and what to do about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, MissingDriverError, RejectedError
from edgeseg.devices.plain_text import hide_credentials, plain, shortened
from edgeseg.devices.process_log import reason_in

if TYPE_CHECKING:
    from edgeseg.devices import EdgesegError

# The package of Debian, Ubuntu and Raspberry Pi OS that holds an element; those of
# NVIDIA's L4T come with JetPack.
_PACKAGES = (
    (r"fdsink|fdsrc|queue|tee|identity", "libgstreamer1.0-0"),
    (r"video(convert|scale|rate|testsrc)|.*decodebin\d?|rawvideoparse|playbin\d?",
     "gstreamer1.0-plugins-base"),
    (r"v4l2.*|rtsp(src|.*pay)|rtp.*|udp.*|jpeg(enc|dec)|souphttpsrc|.*videosink|"
     r"matroska.*|mp4mux|multipart.*|vp[89].*", "gstreamer1.0-plugins-good"),
    (r"pnm.*|h26[45]parse|openh264.*|srt.*|webrtc.*|kmssink|waylandsink|fbdevsink",
     "gstreamer1.0-plugins-bad"),
    (r"x264enc", "gstreamer1.0-plugins-ugly"),
    (r"avenc_.*|avdec_.*", "gstreamer1.0-libav"),
    (r"rtspclientsink", "gstreamer1.0-rtsp"),
    (r"libcamerasrc", "gstreamer1.0-libcamera"),
    (r"nv.*", "nvidia-l4t-gstreamer (NVIDIA JetPack)"),
)  # fmt: skip
_LAUNCH = "gstreamer1.0-tools " + " ".join(
    f"gstreamer1.0-plugins-{kind}" for kind in ("base", "good", "bad")
)
_ERROR = re.compile(r"^ERROR: from element (?:\S*[/:])?(\S+): (.*)$", re.MULTILINE)
_SYNTAX = re.compile(r"^(?:WARNING|ERROR)[^\n]*?pipeline: (.*)$", re.MULTILINE)
_REFUSED = re.compile(r"\b(?:Unauthori[sz]ed|Not authori[sz]ed|Forbidden)\b", re.I)
_NO_ELEMENT = re.compile(r"no element \"([^\"]+)\"")
_MISSING = re.compile(r"(?:Missing element: |No decoder available for type ')([^\n']+)")
_LONGEST = 240  # characters of GStreamer's own words in a message


def no_gstreamer() -> MissingDriverError:
    """Return the error of a machine without ``gst-launch-1.0``."""
    return MissingDriverError(
        f"gst-launch-1.0 is not installed: sudo apt install {_LAUNCH}"
    )


def explain(said: str, failure: type[EdgesegError], what: str) -> EdgesegError:
    """Return the error that a child's words amount to.

    Parameters
    ----------
    said : str
        What the child wrote to standard output and standard error.
    failure : type
        Class of the error where nothing is missing on this machine.
    what : str
        What failed, as a sentence's beginning: ``"cannot play gst:..."``.

    Returns
    -------
    EdgesegError
        `MissingDriverError` where an element or a decoder is not installed, and
        `RejectedError` where a password, or the pipeline of an input, is wrong. No
        message holds a user, a password or the query of an address.
    """
    element = _NO_ELEMENT.search(said)
    if element:
        advice = _advice(element[1])
        return MissingDriverError(
            f"{what}: GStreamer has no element {element[1]!r} here: {advice}"
        )
    missing = _MISSING.search(said)
    if missing:
        return MissingDriverError(
            f"{what}: GStreamer cannot decode this here ({missing[1].strip()}): "
            "sudo apt install gstreamer1.0-libav gstreamer1.0-plugins-bad"
        )
    is_wrong = _SYNTAX.search(said) and failure is InputError
    kind = RejectedError if is_wrong or _REFUSED.search(said) else failure
    return kind(f"{what}: {_reason(said)}")


def _advice(element: str) -> str:
    for pattern, package in _PACKAGES:
        if re.fullmatch(pattern, element):
            return f"install {package}"
    return "check its spelling, or install the package that holds it"


def _reason(said: str) -> str:
    """Return the first error, which is the cause of those after it."""
    error = _ERROR.search(said)
    if error:
        message, detail = error[2].rstrip("."), _detail(said[error.end() :])
        more = "" if detail.lower().startswith(message.lower()) else detail
        reason = f"{error[1]}: {message}{f' ({more})' if more else ''}"
    else:
        syntax = _SYNTAX.search(said)
        reason = syntax[1] if syntax else (reason_in(said) or "it ended")
    return shortened(plain(hide_credentials(reason)), _LONGEST)


def _detail(after: str) -> str:
    """Return the last line of the debug information that follows an error."""
    lines = after.strip().splitlines()
    if not lines or not lines[0].startswith("Additional debug info"):
        return ""
    kept = ""
    for line in lines[1:]:
        if re.match(r"[A-Z]{3,}|Setting pipeline|Execution ended|Failed to set", line):
            break
        kept = line.strip()
    if re.match(r"\S+\(\d+\): .*\(\):? \S*:?$", kept):  # a source line, no words
        return ""
    return kept.removeprefix("system error: ").removesuffix(" (Generic error)")
