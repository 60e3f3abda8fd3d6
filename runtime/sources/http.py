"""An MJPEG stream: ``http://camera:8080/stream.mjpg``, with or without ``USER:PASS@``.

What IP cameras, ESP32-CAMs, ``mjpg-streamer``, OctoPrint and edgeseg's own web page
send.
"""

from __future__ import annotations

from edgeseg.devices.plain_text import hide_credentials
from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.capture.http import HttpConnection, without_user
from edgeseg.runtime.capture.live import LiveSource
from edgeseg.runtime.capture.source import AS_IT_COMES, CaptureOptions


class HttpSource(LiveSource):
    """Pictures of an MJPEG stream in the size that the server sends.

    A damaged picture is skipped and counted in ``state["skipped"]``. Messages never
    hold the address's user, password or query.

    Parameters
    ----------
    text : str
        The whole address, ``http://`` or ``https://``.
    options : CaptureOptions
        Rotation; size and rate are the server's.

    Raises
    ------
    InputError
        Nobody answers there, access is refused, or it is no MJPEG stream.
    """

    def __init__(self, text: str, options: CaptureOptions = AS_IT_COMES) -> None:
        url = text if "://" in text else f"http://{text.removeprefix('//')}"
        without_user(url)
        super().__init__(
            lambda: HttpConnection(url),
            prefix="http",
            what=hide_credentials(url),
            options=options,
        )


ADDRESS = AddressKind(Rest.NETWORK, schemes=("https",))
PLUGIN = HttpSource
