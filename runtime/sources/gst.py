"""A GStreamer pipeline: ``"gst:v4l2src device=/dev/video2 ! image/jpeg ! jpegdec"``.

Everything that GStreamer can read, without a Python binding or an OpenCV built for it.
The pipeline is written as for ``gst-launch-1.0`` and ends with raw video; what turns it
into frames is added.
"""

from __future__ import annotations

from edgeseg.devices.plain_text import hide_credentials
from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.capture.gst import GstConnection
from edgeseg.runtime.capture.live import LiveSource
from edgeseg.runtime.capture.source import AS_IT_COMES, CaptureOptions
from edgeseg.runtime.gstreamer.child import words_of

_TOLD = 80  # characters of a pipeline in messages


class GstSource(LiveSource):
    """Frames of a pipeline in a child process, played in time and for ever.

    A pipeline that ends is started again, as any live source is.

    Parameters
    ----------
    text : str
        Elements as for ``gst-launch-1.0``. Other users of the machine can see them,
        with any password in them, in the list of processes.
    options : CaptureOptions
        A size is scaled to, with black borders where the aspect differs; a frame rate
        is an upper limit.

    Raises
    ------
    InputError
        The pipeline is wrong, or it gives no frame.
    MissingDriverError
        GStreamer or one of the elements is not installed.
    """

    def __init__(self, text: str, options: CaptureOptions = AS_IT_COMES) -> None:
        words_of(text)
        name = hide_credentials(f"gst:{text}")
        name = name if len(name) <= _TOLD else f"{name[:_TOLD]}..."
        super().__init__(
            lambda: GstConnection(
                text, name=name, size_wh=options.size_wh, fps=options.fps
            ),
            prefix="gst",
            what=name,
            options=options,
        )


ADDRESS = AddressKind(Rest.TEXT)
PLUGIN = GstSource
