"""A Raspberry Pi's processor: TFLite on its four cores, through XNNPACK."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from edgeseg.devices.board import detect_board
from edgeseg.devices.cores import physical_cores
from edgeseg.devices.onnx import PROCESSOR_UNIT, find_on_processor, with_onnx
from edgeseg.devices.profile import DeviceUnit, Found, Profile
from edgeseg.devices.tflite import TFLiteDevice

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger(__name__)


class RaspberryPi(TFLiteDevice):
    """CPU inference with one thread a core; all of a Pi's cores are alike.

    Elsewhere it runs the same way, after a warning: with the kernels of another
    processor neither labels nor times are a Pi's.

    Parameters
    ----------
    model : Path
        A ``.tflite`` file.
    unit : str
        ``""`` or ``"cpu"``.
    threads : int or None
        Threads of an inference; None takes the physical cores available. With a
        camera, a screen and a web page beside it, 3 of 4 often give steadier frames.

    Raises
    ------
    ModelError
        The file is no TFLite model, needs another device, or cannot be prepared.
    """

    def __init__(self, model: Path, unit: str = "", threads: int | None = None) -> None:
        cores = _cores()
        super().__init__(model, name="raspberry_pi", threads=threads or cores)


def _cores() -> int:
    """Return a Pi's cores; elsewhere, with a warning, those of what is there."""
    board = detect_board()
    if board.kind != "raspberry_pi":
        _log.warning(
            "this is no Raspberry Pi but %s: running on its processor",
            board.model or f"a {board.architecture} machine",
        )
    return physical_cores()


def _find(root: Path) -> tuple[Found, ...]:
    board = detect_board(root)
    if board.kind != "raspberry_pi":
        return (Found("raspberry_pi:cpu", "absent", "this is no Raspberry Pi"),)
    if board.bits != 64:
        hint = "a 32-bit system image: no interpreter has wheels for it"
        return (Found("raspberry_pi:cpu", "incomplete", hint),)
    return (
        Found("raspberry_pi:cpu", "ready", f"{board.model}, {board.processor}"),
        find_on_processor("raspberry_pi"),
    )


PROFILE = Profile(
    summary="a Raspberry Pi's processor",
    units=(
        DeviceUnit("", "the same as raspberry_pi:cpu"),
        DeviceUnit("cpu", "TFLite on all cores, through XNNPACK"),
        PROCESSOR_UNIT,
    ),
    find=_find,
    recipes=("int8", "int8-mixed", "float32"),
    heads=("logits-stride", "logits"),
    sizes=("257x257", "321x321", "513x513"),
    advice=(
        "Pi 5: the dot-product instructions of its A76 make int8 the better choice by "
        "far; Pi 3, 4 and Zero 2 W lack them: measure int8 against float32",
        "Zero 2 W and Pi 3 have 512 MB and 1 GB: keep to 257x257",
        "leave the last upsampling to the runtime: head logits-stride",
        "bench with --threads 3 beside --threads 4 when a camera runs",
    ),
    camera="picamera",
    install=(
        "sudo apt install python3-picamera2",
        "python3 -m venv --system-site-packages ~/edgeseg",
    ),
    verified="an emulated Pi 4 and Pi 5, Debian 12; not run on hardware",
)
PLUGIN = with_onnx("raspberry_pi", RaspberryPi, _cores)
