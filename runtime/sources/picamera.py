"""A Raspberry Pi camera through Picamera2: ``picamera:`` or ``picamera:1``.

Its names of pixel formats count from the highest byte of a word: ``BGR888`` is the
one whose bytes are red, green, blue in memory, hence RGB in an array, and ``RGB888``
is OpenCV's BGR.

References
----------
Raspberry Pi Ltd, "The Picamera2 Library", appendix A: pixel and image formats
(BGR888: "each pixel is laid out as [R, G, B]").
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, MissingDriverError
from edgeseg.runtime.address import CAMERAS, AddressKind, Rest
from edgeseg.runtime.capture.feed import Connection
from edgeseg.runtime.capture.live import LiveSource
from edgeseg.runtime.capture.source import AS_IT_COMES, CaptureOptions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json, Module

_FORMAT = "BGR888"  # RGB in memory, see above
_SIZE_WH = (1280, 720)  # Picamera2's own choice for video


class PicameraSource(LiveSource):
    """Frames of a camera on a Raspberry Pi's ribbon cable.

    Parameters
    ----------
    text : str
        Number of the camera; 0 without.
    options : CaptureOptions
        Size (1280x720 without) and rate to ask for; rotation.

    Raises
    ------
    InputError
        There is no such camera, or another program uses it.
    MissingDriverError
        Picamera2 is not installed or not seen from this virtual environment.
    """

    def __init__(self, text: str = "", options: CaptureOptions = AS_IT_COMES) -> None:
        if text and not (text.isascii() and text.isdecimal()):
            raise InputError(f"picamera: expected a camera's number, got {text!r}")
        number = int(text or 0)
        super().__init__(
            lambda: PicameraConnection(number, options),
            prefix=f"picamera{number}",
            what=f"picamera:{number}",
            options=options,
        )


class PicameraConnection(Connection):
    """One running Picamera2; a call that waits for a frame cannot be cut short."""

    def __init__(self, number: int, options: CaptureOptions) -> None:
        self._number, self._options = number, options
        self._camera: Module = None
        self._details: Json = {"through": "Picamera2"}

    def open(self) -> None:
        """Configure and start the camera."""
        maker = _picamera2()
        count = len(maker.global_camera_info())
        if self._number >= count:
            raise InputError(
                f"no such camera: picamera:{self._number} ({count} found: check the "
                "ribbon cable and rpicam-hello --list-cameras)"
            )
        try:
            self._camera = maker(self._number)
            self._configure()
            self._camera.start()
        except (RuntimeError, OSError) as error:  # what libcamera's binding raises
            raise InputError(
                f"picamera:{self._number} cannot be started, does another program use "
                f"it? ({error})"
            ) from error

    def read(self) -> NDArray[np.uint8]:
        """Wait for a frame."""
        try:
            frame: NDArray[np.uint8] = self._camera.capture_array("main")
        except (RuntimeError, OSError) as error:
            raise InputError(
                f"picamera:{self._number} gives no more frames ({error})"
            ) from error
        return frame

    def close(self) -> None:
        """Stop and release the camera."""
        if self._camera is not None:
            self._camera.stop()
            self._camera.close()

    @property
    def details(self) -> Json:
        """``through``, and the size that was agreed on: ``given_wh``."""
        return dict(self._details)

    def _configure(self) -> None:
        fps = self._options.fps
        configuration = self._camera.create_video_configuration(
            main={"size": self._options.size_wh or _SIZE_WH, "format": _FORMAT},
            controls={"FrameRate": fps} if fps else {},
        )
        self._camera.configure(configuration)
        agreed = self._camera.camera_configuration()["main"]["size"]
        self._details["given_wh"] = [int(side) for side in agreed]


def _picamera2() -> Module:
    try:
        maker = importlib.import_module("picamera2").Picamera2
    except ImportError as error:
        raise MissingDriverError(
            f"picamera: Picamera2 cannot be imported ({error}): sudo apt install "
            "python3-picamera2, and use the system's Python or a virtual environment "
            "made with python3 -m venv --system-site-packages; pip's copy does not fit "
            "the system's libcamera"
        ) from error
    return maker


ADDRESS = AddressKind(Rest.DEVICE_NODE, nodes=CAMERAS, system_packages=True)
PLUGIN = PicameraSource
