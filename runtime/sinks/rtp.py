"""H.264 over RTP, straight to one receiver or a multicast group: ``rtp://HOST:PORT``."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, OutputError
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.output.mqtt_address import parse_address
from edgeseg.runtime.output.streaming import H264, StreamingSink

if TYPE_CHECKING:
    from edgeseg.runtime.output.sink import Style

_EXPECTED = "rtp://192.168.1.20:5004"


class RtpSink(StreamingSink):
    """Sends H.264 as RTP over UDP, whether someone receives it or not.

    A name that cannot be resolved yet, or a network that is not there, is waited for.

    It is seen on the receiver with::

        gst-launch-1.0 udpsrc port=5004 caps="application/x-rtp,media=video,\
clock-rate=90000,encoding-name=H264,payload=96" \
! rtpjitterbuffer ! rtph264depay ! decodebin ! autovideosink

    Parameters
    ----------
    text : str
        ``rtp://HOST:PORT``, or ``HOST:PORT``.
    style : Style
        How to draw, and the frame rate.
    """

    def __init__(self, text: str, style: Style) -> None:
        whole = text if "://" in text else f"rtp://{text}"
        address = parse_address(whole, _EXPECTED)
        if address.port is None:
            raise InputError(f"expected a port, such as {_EXPECTED}, got {text}")
        host, port = address.host, address.port

        self._numeric = host

        def pipeline() -> str:
            self._numeric = numeric(host, port)
            return (
                f"{H264} ! rtph264pay config-interval=1 pt=96 "
                f"! udpsink host={self._numeric} port={port} sync=false async=false"
            )

        def is_there() -> None:
            numeric(self._numeric, port)

        name = f"rtp://{host}:{port}"
        super().__init__(pipeline, style, name, waits=True, is_there=is_there)


def numeric(host: str, port: int) -> str:
    """Return a receiver's address in numbers.

    GStreamer's ``udpsink`` says nothing where it cannot resolve a name or reach a
    network, and never tries again.

    Raises
    ------
    OutputError
        The name has no address, or no network leads to it.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        family, kind, _, _, place = found[0]
        with socket.socket(family, kind) as probe:
            probe.connect(place)  # sends nothing: looks for the way only
    except OSError as error:
        raise OutputError(reason_of(error)) from error
    return str(place[0])


ADDRESS = AddressKind(Rest.NETWORK)
PLUGIN = RtpSink
