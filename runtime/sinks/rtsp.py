"""H.264 pushed to an RTSP server, such as MediaMTX: ``rtsp://SERVER/PATH``."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from edgeseg.devices.plain_text import hide_credentials
from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.output.mqtt_address import parse_address
from edgeseg.runtime.output.streaming import H264, StreamingSink

if TYPE_CHECKING:
    from edgeseg.runtime.output.sink import Style

_SCHEMES = ("rtsp://", "rtsps://")


class RtspSink(StreamingSink):
    """Publishes what is drawn on a server, from which any number can watch it.

    Frames go over TCP, through firewalls and without loss. A server that is not there
    yet, or goes away, is waited for; one that refuses the password is an error.

    Parameters
    ----------
    text : str
        ``rtsp://[USER:PASSWORD@]HOST[:PORT]/PATH``. Other users of the machine can
        read a child process's arguments, hence the password.
    style : Style
        How to draw, and the frame rate.
    """

    def __init__(self, text: str, style: Style) -> None:
        whole = text if text.startswith(_SCHEMES) else f"rtsp://{text}"
        parse_address(whole, "rtsp://192.168.1.20:8554/live")
        sink = f"rtspclientsink protocols=tcp location={shlex.quote(whole)}"
        name = hide_credentials(whole)
        super().__init__(f"{H264} ! {sink}", style, name, waits=True)


ADDRESS = AddressKind(Rest.NETWORK, schemes=("rtsps",))
PLUGIN = RtspSink
