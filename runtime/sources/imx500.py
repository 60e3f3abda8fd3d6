"""A Raspberry Pi AI Camera with its own network: ``imx500:NETWORK.rpk``.

The sensor runs the network; its answer comes with each frame, in the metadata of the
same request, and is read like that of the model that the network was compiled from. No
inference is run on the Pi. ``imx500:NETWORK.rpk,camera=1`` takes the second AI Camera.

The network sees a crop from the middle of the sensor in its own shape, and the frame is
of that shape too, so that both show the same.

References
----------
Raspberry Pi Ltd, Picamera2, ``picamera2/devices/imx500/imx500.py``: an ``IMX500`` is
made before ``Picamera2(camera_num)``; ``get_outputs(metadata, add_batch)`` gives one
float32 array for each tensor, or None where the frame has no answer;
``get_input_size()`` is (width, height); ``set_auto_aspect_ratio()`` crops.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, MissingDriverError
from edgeseg.devices.plain_text import one_line
from edgeseg.runtime.address import CAMERAS, AddressKind, Rest
from edgeseg.runtime.capture.feed import Connection, Patience
from edgeseg.runtime.capture.live import LiveSource
from edgeseg.runtime.capture.source import AS_IT_COMES, CaptureOptions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Array, Json, Module

_FORMAT = "BGR888"  # RGB in memory, as of the source picamera
_LONG_SIDE = 960  # of a frame, where nothing is asked for
_ROUND = 0.02  # by which two shapes may differ: sizes are whole and even
_BUFFERS = 12  # what Picamera2's own programs for this camera take
_PATIENCE = 300  # frames in a row without an answer
_LOADING_S = 600.0  # the first time, a network takes minutes to be loaded


class Imx500Source(LiveSource):
    """Frames of an AI Camera, each with the answer of the network in the sensor.

    Parameters
    ----------
    text : str
        The ``.rpk`` file, and ``camera=N``: the N-th AI Camera, from 0.
    options : CaptureOptions
        Size (of the network's shape) and rate to ask for.

    Raises
    ------
    InputError
        There is no such file or camera, the size has another shape, or frames come
        without answers.
    MissingDriverError
        Picamera2 or its support for this camera is not installed.
    """

    def __init__(self, text: str = "", options: CaptureOptions = AS_IT_COMES) -> None:
        path, number = _parsed(text)
        if options.rotate:
            raise InputError(
                "imx500: frames cannot be turned, the network in the sensor sees them "
                "as they are: mount the camera upright"
            )
        super().__init__(
            lambda: Imx500Connection(path, number, options),
            prefix=f"imx500_{number}",
            what=f"imx500:{path}",
            options=options,
            patience=Patience(start_s=_LOADING_S),
        )


class Imx500Connection(Connection):
    """One running camera with its network loaded."""

    def __init__(self, network: Path, number: int, options: CaptureOptions) -> None:
        self._network, self._number, self._options = network, number, options
        self._camera: Module = None
        self._sensor: Module = None
        self._answer: Array | None = None
        self._details: Json = {"through": "Picamera2", "network": str(network)}

    def open(self) -> None:
        """Load the network into the sensor, configure and start the camera."""
        maker, sensor = _picamera2()
        count = sum(
            str(info.get("Model")) == "imx500" for info in maker.global_camera_info()
        )
        if self._number >= count:
            raise InputError(
                f"no such camera: imx500 camera={self._number} ({count} AI Cameras "
                "found: check the cable and rpicam-hello --list-cameras)"
            )
        try:
            camera_id = _ids(maker)[self._number] if count > 1 else ""
            self._sensor = sensor(str(self._network), camera_id)
            size_wh = self._size_wh()
            self._sensor.set_auto_aspect_ratio()
            self._camera = maker(self._sensor.camera_num)
            fps = self._options.fps
            configuration = self._camera.create_video_configuration(
                main={"size": size_wh, "format": _FORMAT},
                controls={"FrameRate": fps} if fps else {},
                buffer_count=_BUFFERS,
            )
            self._camera.configure(configuration)
            self._camera.start()
        except InputError:
            raise
        except Exception as error:  # the network's file is parsed, with many errors
            raise InputError(
                f"imx500:{self._network} cannot be started: is it a network of "
                "imx500-package, and does no other program use the camera? "
                f"({one_line(error)})"
            ) from error
        agreed = self._camera.camera_configuration()["main"]["size"]
        self._details["given_wh"] = [int(side) for side in agreed]

    def read(self) -> NDArray[np.uint8]:
        """Wait for a frame that has an answer."""
        for _ in range(_PATIENCE):
            try:
                request = self._camera.capture_request()
            except (RuntimeError, OSError) as error:
                raise InputError(
                    f"imx500:{self._network} gives no more frames ({one_line(error)})"
                ) from error
            try:
                self._answer = self._answer_in(request.get_metadata())
                if self._answer is not None:
                    frame: NDArray[np.uint8] = request.make_array("main")
                    return frame
            finally:
                request.release()
        raise InputError(
            f"imx500:{self._network}: {_PATIENCE} frames came without an answer of the "
            "network"
        )

    @property
    def output(self) -> Array | None:
        """The answer to the frame read last."""
        return self._answer

    def close(self) -> None:
        """Stop and release the camera."""
        if self._camera is not None:
            self._camera.stop()
            self._camera.close()

    @property
    def details(self) -> Json:
        """``through``, ``network``, and the size that was agreed on: ``given_wh``."""
        return dict(self._details)

    def _answer_in(self, metadata: Json) -> Array | None:
        import numpy as np

        try:
            outputs = self._sensor.get_outputs(metadata, add_batch=True)
        except (ValueError, TypeError) as error:
            raise InputError(
                f"imx500:{self._network}: the answer cannot be read ({one_line(error)})"
            ) from error
        if not outputs:
            return None
        if len(outputs) != 1:
            raise InputError(
                f"imx500:{self._network} answers {len(outputs)} tensors: expected one "
                "with scores, as edgeseg compile makes it"
            )
        return np.array(outputs[0], np.float32)  # a copy: the request's is released

    def _size_wh(self) -> tuple[int, int]:
        width, height = (int(side) for side in self._sensor.get_input_size())
        if min(width, height) < 1:
            raise InputError(
                f"imx500:{self._network}: its network sees {width}x{height}"
            )
        wanted = self._options.size_wh
        if wanted is None:
            scale = _LONG_SIDE / max(width, height)
            return _even(width * scale), _even(height * scale)
        if abs(wanted[0] * height / (wanted[1] * width) - 1) > _ROUND:
            raise InputError(
                f"--size {wanted[0]}x{wanted[1]} has not the shape of what the network "
                f"in the camera sees, {width}x{height}: leave it out, or ask for "
                f"{_even(wanted[1] * width / height)}x{wanted[1]}"
            )
        return wanted


def _even(length: float) -> int:
    return max(2, 2 * round(length / 2))


def _ids(maker: Module) -> list[str]:
    return [i["Id"] for i in maker.global_camera_info() if i.get("Model") == "imx500"]


def _parsed(text: str) -> tuple[Path, int]:
    place, options = ADDRESS.split(text)
    number = "0"
    for option in options:
        name, _, number = option.partition("=")
        if name != "camera" or not (number.isascii() and number.isdecimal()):
            raise InputError(f"imx500: expected NETWORK.rpk,camera=N, got {text!r}")
    path = Path(place)
    if not place or not path.is_file():
        raise InputError(
            f"imx500: no network {place!r}: expected imx500:NETWORK.rpk, which "
            "edgeseg compile MODEL --device imx500 and imx500-package make"
        )
    return path, int(number)


def _picamera2() -> tuple[Module, Module]:
    try:
        maker = importlib.import_module("picamera2").Picamera2
        sensor = importlib.import_module("picamera2.devices").IMX500
    except (ImportError, AttributeError) as error:
        raise MissingDriverError(
            f"imx500: Picamera2 with its IMX500 cannot be imported ({error}): sudo apt "
            "install imx500-all python3-picamera2, and use the system's Python or a "
            "virtual environment made with python3 -m venv --system-site-packages"
        ) from error
    return maker, sensor


ADDRESS = AddressKind(Rest.FILE, options=",", nodes=CAMERAS, system_packages=True)
PLUGIN = Imx500Source
