"""Any other ARM board (Rock, Odroid, Coral Dev Board, ...): TFLite on its big cores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices.board import detect_board
from edgeseg.devices.cores import (
    big_cores,
    big_processors,
    physical_cores,
    usable_processors,
)
from edgeseg.devices.onnx import PROCESSOR_UNIT, find_on_processor, with_onnx
from edgeseg.devices.profile import DeviceUnit, Found, Profile
from edgeseg.devices.tflite import TFLiteDevice

if TYPE_CHECKING:
    from pathlib import Path


class Generic(TFLiteDevice):
    """CPU inference with one thread a big core.

    Parameters
    ----------
    model : Path
        A ``.tflite`` file.
    unit : str
        ``""`` or ``"cpu"``: as many threads as there are big cores, placed by Linux;
        ``"big"``: kept on the big cores, those threads alone; ``"all"``: one thread
        a core, small ones too.
    threads : int or None
        Threads of an inference; None leaves it to the unit.

    Raises
    ------
    ModelError
        The file is no TFLite model, needs another device, or cannot be prepared.
    """

    def __init__(self, model: Path, unit: str = "", threads: int | None = None) -> None:
        keep = usable_processors() & big_processors() if unit == "big" else frozenset()
        default = physical_cores() if unit == "all" else big_cores()
        super().__init__(
            model, name="generic", threads=threads or default, processors=keep
        )


def _find(root: Path) -> tuple[Found, ...]:
    board = detect_board(root)
    if board.device != "generic":
        hint = "for boards that have no device file of their own"
        return (Found("generic:cpu", "absent", hint),)
    cores = board.processor or board.soc or board.architecture
    return (
        Found("generic:cpu", "ready", f"{board.model}, {cores}"),
        Found("generic:big", "ready", "the same, kept on the big cores"),
        find_on_processor("generic"),
    )


PROFILE = Profile(
    summary="any other ARM board's processor",
    units=(
        DeviceUnit("", "the same as generic:cpu"),
        DeviceUnit("cpu", "as many threads as big cores, placed by Linux"),
        DeviceUnit("big", "threads of the inference kept on the big cores"),
        DeviceUnit("all", "one thread a core, small cores too"),
        PROCESSOR_UNIT,
    ),
    find=_find,
    advice=("big and small cores: measure generic:cpu against generic:big",),
    verified="not run on hardware; threads and masks tested on x86-64",
)
PLUGIN = with_onnx("generic", Generic, big_cores)
