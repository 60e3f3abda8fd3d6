"""A camera on a Jetson's ribbon cable: ``csi:`` or ``csi:1``, through GStreamer.

References
----------
NVIDIA, Jetson Linux Developer Guide, "Accelerated GStreamer": nvarguscamerasrc gives
frames in NVIDIA's own memory, from which nvvidconv copies them.
"""

from __future__ import annotations

from edgeseg.devices import InputError
from edgeseg.runtime.address import CAMERAS, AddressKind, Rest
from edgeseg.runtime.capture.gst import GstConnection
from edgeseg.runtime.capture.live import LiveSource
from edgeseg.runtime.capture.source import AS_IT_COMES, CaptureOptions

_SIZE_WH = (1280, 720)  # the smallest mode of the usual sensors, at up to 60 a second
_FPS = 30.0


class CsiSource(LiveSource):
    """Frames of a CSI camera; the image processor scales, and reduces noise.

    Parameters
    ----------
    text : str
        Number of the sensor; 0 without.
    options : CaptureOptions
        Size (1280x720 without) and rate (30 without) to ask for; rotation.

    Raises
    ------
    InputError
        There is no such sensor, or another program uses it.
    MissingDriverError
        GStreamer or NVIDIA's elements are not installed.
    """

    def __init__(self, text: str = "", options: CaptureOptions = AS_IT_COMES) -> None:
        if text and not (text.isascii() and text.isdecimal()):
            raise InputError(f"csi: expected a sensor's number, got {text!r}")
        name, pipeline = f"csi:{int(text or 0)}", csi_pipeline(int(text or 0), options)
        super().__init__(
            lambda: GstConnection(pipeline, name=name, in_time=False),
            prefix=name.replace(":", ""),
            what=name,
            options=options,
        )


def csi_pipeline(sensor: int, options: CaptureOptions) -> str:
    """Return the elements from the sensor to raw video in usual memory.

    Examples
    --------
    >>> csi_pipeline(1, CaptureOptions(size_wh=(640, 480), fps=15)).split(" ! ")[2:]
    ['nvvidconv', 'video/x-raw,format=BGRx,width=640,height=480']
    """
    width, height = options.size_wh or _SIZE_WH
    rate = round((options.fps or _FPS) * 1000)
    return (
        f"nvarguscamerasrc sensor-id={sensor} "
        f"! 'video/x-raw(memory:NVMM),framerate={rate}/1000' "
        f"! nvvidconv ! video/x-raw,format=BGRx,width={width},height={height}"
    )


ADDRESS = AddressKind(Rest.DEVICE_NODE, nodes=CAMERAS)
PLUGIN = CsiSource
