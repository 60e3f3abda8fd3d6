"""H.264 over RTP, straight to one receiver or a multicast group: ``rtp://HOST:PORT``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.output.mqtt_address import parse_address
from edgeseg.runtime.output.streaming import H264, StreamingSink

if TYPE_CHECKING:
    from edgeseg.runtime.output.sink import Style

_EXPECTED = "rtp://192.168.1.20:5004"


class RtpSink(StreamingSink):
    """Sends H.264 as RTP over UDP, whether someone receives it or not.

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
        pipeline = (
            f"{H264} ! rtph264pay config-interval=1 pt=96 "
            f"! udpsink host={address.host} port={address.port} sync=false async=false"
        )
        super().__init__(pipeline, style, f"rtp://{address.host}:{address.port}")


ADDRESS = AddressKind(Rest.NETWORK)
PLUGIN = RtpSink
