"""The NPU of a Rockchip processor (RK3562, 3566, 3568, 3576, 3588): ``.rknn`` files.

``edgeseg compile`` makes one on the workstation, with Rockchip's toolkit. On the board
Rockchip's package rknn-toolkit-lite2 runs it, through ``librknnrt.so`` and the driver
of the maker's kernel; a mainline kernel has another one. Normalization is in the file,
so that the network takes pixels; scores come back as real numbers, channels first.

References
----------
rknn-toolkit-lite2 2.5, ``rknnlite/api/rknn_lite.py``, which comes as source:
``RKNNLite``, its ``load_rknn``, ``init_runtime``, ``inference`` and ``release``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edgeseg.devices.base import SpecifiedDevice, TensorSpec, check_tensors
from edgeseg.devices.chip import Chip, DriverPackage
from edgeseg.devices.errors import MissingDriverError, ModelError
from edgeseg.devices.linux_files import ROOT, read_text
from edgeseg.devices.profile import DeviceUnit, Profile
from edgeseg.devices.quiet import quiet
from edgeseg.devices.rknn_file import read_rknn

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.rknn_file import RknnTensor
    from edgeseg.devices.types import Array, Json, Untyped

CHIPS = ("rk3562", "rk3566", "rk3568", "rk3576", "rk3588")
_LIBRARIES = ("usr/lib/librknnrt.so", "usr/lib/*/librknnrt.so", "lib/librknnrt.so")
_NAME = re.compile(r"rockchip,(rk\d{4})")
RKNNLITE = DriverPackage(
    module="rknnlite.api",
    title="Rockchip's package rknn-toolkit-lite2",
    hint="rockchip needs Rockchip's package: pip install rknn-toolkit-lite2",
)
_NO_LIBRARY = (
    "librknnrt.so is not installed: the image of the board's maker has it, else put "
    "that of Rockchip's rknn-toolkit2 into /usr/lib"
)


def find_chip(root: Path) -> str:
    """Return the processor, such as ``"rk3588"``, empty where it is another one."""
    named = _NAME.findall(read_text(root / "proc/device-tree/compatible") or "")
    return next((name for name in named if name in CHIPS), "")


def _lacks(root: Path) -> str:
    if not any(found for place in _LIBRARIES for found in root.glob(place)):
        return _NO_LIBRARY
    return RKNNLITE.missing(root)


CHIP = Chip(
    device="rockchip",
    title="Rockchip NPU",
    sign=f"processor of {', '.join(CHIPS)}",
    look=find_chip,
    lacks=_lacks,
    advice="run the model on another device",
)


class RockchipNpu(SpecifiedDevice):
    """Inference on the NPU of the board's processor.

    Parameters
    ----------
    model : Path
        A ``.rknn`` file of ``edgeseg compile``.
    unit : str
        ``""``, or what the board must be, such as ``"rk3588"``.
    threads : int or None
        Means nothing here.
    root : Path
        Where ``proc`` and ``usr`` are.

    Raises
    ------
    ModelError
        The file is no ``.rknn`` file, is for another processor, or cannot be run.
    MissingDriverError
        Another processor, no library, or no package.
    """

    def __init__(
        self,
        model: Path,
        unit: str = "",
        threads: int | None = None,
        *,
        root: Path = ROOT,
    ) -> None:
        self._lite: Untyped = None
        chip = CHIP.require(root)
        if unit not in ("", chip):
            raise MissingDriverError(f"this board has an {chip}, not an {unit}")
        described = read_rknn(model)
        if chip not in described.chips:
            raise ModelError(
                f"{model} is compiled for {', '.join(described.chips)}, this board has "
                f"an {chip}: edgeseg compile MODEL.onnx --device {chip}"
            )
        if len(described.inputs) != 1 or len(described.inputs[0].shape) != 4:
            raise ModelError(f"{model} takes no single picture")
        self._inputs = tuple(_pixels(tensor) for tensor in described.inputs)
        self._outputs = tuple(_scores(tensor) for tensor in described.outputs)
        self._chip, self._toolkit = chip, described.version
        self._open(model)

    def _open(self, model: Path) -> None:
        lite = RKNNLITE.load().RKNNLite()
        with quiet(stdout=True) as chatter:  # it prints its reasons
            loaded = lite.load_rknn(str(model)) == 0 and lite.init_runtime() == 0
        if not loaded:
            lite.release()
            raise ModelError(
                f"{model} cannot be loaded into the NPU ({chatter.tail()}): are the "
                f"driver and librknnrt.so as new as the toolkit ({self._toolkit})?"
            )
        self._lite = lite

    def infer(self, *tensors: Array) -> tuple[Array, ...]:
        """Run the model once; see `Device.infer`."""
        import numpy as np

        if self._lite is None:
            raise ModelError("the device is closed: open it again")
        check_tensors(tensors, self._inputs)
        given = [np.ascontiguousarray(tensor) for tensor in tensors]
        made = self._lite.inference(inputs=given, data_format=["nhwc"])
        if made is None or len(made) != len(self._outputs):
            raise ModelError("inference failed, Rockchip's package has printed why")
        return tuple(
            _channels_last(np.asarray(found, np.float32)).reshape(spec.shape)
            for found, spec in zip(made, self._outputs, strict=True)
        )

    def describe(self) -> Json:
        """Return device, runtime, and the toolkit that compiled the file."""
        return {
            "device": f"rockchip:{self._chip}",
            "runtime": "rknnlite",
            "version": self._toolkit,
            "threads": 0,
        }

    def close(self) -> None:
        """Release the NPU."""
        if self._lite is not None:
            self._lite.release()
        self._lite = None


def _pixels(tensor: RknnTensor) -> TensorSpec:
    """Return an input's form: pixels, channels last as the package takes them."""
    batch, colours, height, width = tensor.shape
    return TensorSpec(tensor.name, (batch, height, width, colours), "uint8", 1.0)


def _scores(tensor: RknnTensor) -> TensorSpec:
    shape = tensor.shape
    last = (shape[0], *shape[2:], shape[1]) if len(shape) == 4 else shape
    return TensorSpec(tensor.name, last, "float32")


def _channels_last(found: Array) -> Array:
    return found.transpose(0, 2, 3, 1) if found.ndim == 4 else found


PROFILE = Profile(
    summary="the NPU of a Rockchip processor, for a .rknn file",
    units=(
        DeviceUnit("", "the board's NPU"),
        *(DeviceUnit(chip, f"an {chip.upper()}'s", target=True) for chip in CHIPS),
    ),
    find=CHIP.find,
    placement="unknown",
    compiler="rockchip",
    recipes=("int8",),
    heads=("logits-stride",),
    sizes=("385x385", "513x513"),
    advice=(
        "an int8 .onnx file with zero points: edgeseg convert MODEL --recipe int8 "
        "--for onnxruntime -o model.onnx",
        "compiled for the board's processor: edgeseg compile MODEL --device rk3588",
    ),
    install=("pip install rknn-toolkit-lite2",),
    verified="not run on hardware; compiled and run in Rockchip's simulator, the "
    "device tested against a stand-in for rknn-toolkit-lite2",
)
PLUGIN = RockchipNpu
