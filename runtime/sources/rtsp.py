"""An IP camera: ``rtsp://user:password@camera/stream``.

Through a GStreamer child process where that is installed, which starts faster and can
be ended at any time, else through the FFmpeg in OpenCV. Both over TCP: pictures that
lost a packet are worse than late ones.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.plain_text import hide_credentials
from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.capture.gst import GstConnection
from edgeseg.runtime.capture.live import LiveSource
from edgeseg.runtime.capture.opencv import OpencvConnection
from edgeseg.runtime.capture.source import AS_IT_COMES, CaptureOptions
from edgeseg.runtime.gstreamer.child import has_elements, quoted

if TYPE_CHECKING:
    from edgeseg.runtime.capture.feed import Connection

_LATENCY_MS = 100  # what late packets are waited for


class RtspSource(LiveSource):
    """Frames of an RTSP stream; ``state["through"]`` names the library.

    Messages never hold the address's user, password or query. With GStreamer, other
    users of the machine can see them in the list of processes.

    Parameters
    ----------
    text : str
        The whole address, ``rtsp://`` or ``rtsps://``.
    options : CaptureOptions
        With GStreamer, a size is scaled to and a frame rate is an upper limit.

    Raises
    ------
    InputError
        Nobody answers there, access is refused, or there is no such stream.
    MissingDriverError
        A decoder is not installed.
    """

    def __init__(self, text: str, options: CaptureOptions = AS_IT_COMES) -> None:
        url = text if "://" in text else f"rtsp://{text.removeprefix('//')}"
        name = hide_credentials(url)
        if not url.partition("://")[2].strip("/"):
            raise InputError(f"expected rtsp://HOST/STREAM, got {name}")
        gstreamer = has_elements("rtspsrc", "decodebin", "videoconvert", "pnmenc")
        super().__init__(
            lambda: _connection(url, name, options, gstreamer),
            prefix="rtsp",
            what=name,
            options=options,
        )


def _connection(
    url: str, name: str, options: CaptureOptions, gstreamer: bool
) -> Connection:
    if not gstreamer:
        return OpencvConnection(
            url, "FFMPEG", advice=": no answer, no such stream, or access refused"
        )
    return GstConnection(
        rtsp_pipeline(url),
        name=name,
        size_wh=options.size_wh,
        fps=options.fps,
        in_time=False,
    )


def rtsp_pipeline(url: str) -> str:
    """Return the elements from an address to raw video.

    Examples
    --------
    >>> rtsp_pipeline("rtsp://camera/a b").split(" ! ")[1:]
    ['application/x-rtp,media=video', 'decodebin']
    """
    location = shlex.quote(f"location={quoted(url)}")
    return (
        f"rtspsrc {location} protocols=tcp latency={_LATENCY_MS} "
        "! application/x-rtp,media=video ! decodebin"
    )


ADDRESS = AddressKind(Rest.NETWORK, schemes=("rtsps",))
PLUGIN = RtspSource
