"""The processor of any workstation: TFLite through XNNPACK, ONNX on request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices.cores import physical_cores
from edgeseg.devices.onnx import PROCESSOR_UNIT, find_on_processor, with_onnx
from edgeseg.devices.profile import DeviceUnit, Found, Profile
from edgeseg.devices.tflite import TFLiteDevice

if TYPE_CHECKING:
    from pathlib import Path


class Desktop(TFLiteDevice):
    """CPU inference with as many threads as there are physical cores.

    Parameters
    ----------
    model : Path
        A ``.tflite`` file.
    unit : str
        ``""`` or ``"cpu"``; ``"plain"`` leaves XNNPACK out, to see what it brings.
    threads : int or None
        Threads of an inference; None takes the physical cores available.

    Raises
    ------
    ModelError
        The file is no TFLite model, needs another device, or cannot be prepared.
    """

    def __init__(self, model: Path, unit: str = "", threads: int | None = None) -> None:
        super().__init__(
            model,
            name="desktop",
            threads=threads or physical_cores(),
            xnnpack=unit != "plain",
        )


def _find(root: Path) -> tuple[Found, ...]:
    return (
        Found("desktop:cpu", "ready", "this machine's processor, through XNNPACK"),
        Found("desktop:plain", "ready", "the same without XNNPACK, for comparison"),
        find_on_processor("desktop"),
    )


PROFILE = Profile(
    summary="the processor of any workstation",
    units=(
        DeviceUnit("", "the same as desktop:cpu"),
        DeviceUnit("cpu", "TFLite on all physical cores, through XNNPACK"),
        DeviceUnit("plain", "without XNNPACK, to see what it brings", placement="cpu"),
        PROCESSOR_UNIT,
    ),
    find=_find,
    sizes=("513x513", "257x257"),
    advice=("int8 needs VNNI or AVX512 to be faster than float32 on x86",),
    verified="x86-64, ai-edge-litert 2.3, ONNX Runtime 1.32",
)
PLUGIN = with_onnx("desktop", Desktop, physical_cores)
