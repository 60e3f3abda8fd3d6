"""From a device string to an open device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices.accelerators import find_edge_tpus
from edgeseg.devices.address import parse_address
from edgeseg.devices.board import detect_board
from edgeseg.devices.linux_files import ROOT
from edgeseg.devices.plugins import PluginFolder

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.base import Device

DEVICES = PluginFolder("device", "edgeseg.devices.boards", "edgeseg.devices")
# the custom operator that Google's edgetpu_compiler puts in place of what it maps
EDGE_TPU_OPERATOR = b"edgetpu-custom-op"


def open_device(text: str, model: Path, *, threads: int | None = None) -> Device:
    """Open a model on the device that a string names.

    Parameters
    ----------
    text : str
        ``NAME``, ``NAME:UNIT`` or ``NAME:UNIT:N``, such as ``raspberry_pi``,
        ``desktop:cpu`` or ``coral:usb:0``; ``auto`` takes `automatic_device`.
    model : Path
        A ``.tflite`` file; ``.onnx`` where the unit says so.
    threads : int or None
        Threads of an inference; None leaves it to the device.

    Raises
    ------
    UnknownPluginError
        No such device, or the device has no such unit.
    ModelError
        The device cannot run the file.
    MissingDriverError
        Hardware, library or package of the device is not there.
    """
    name = automatic_device(model) if text == "auto" else text
    address = parse_address(name, DEVICES)
    device: Device = DEVICES.load(address.name)(model, address.rest, threads)
    return device


def automatic_device(model: Path, root: Path = ROOT) -> str:
    """Return the device that ``auto`` means for a model on this machine.

    The board's own processor; a Coral only where one is plugged in and the model was
    compiled for it. A Jetson's GPU is never taken unasked: an ``.onnx`` file there asks
    for TensorRT, elsewhere for ONNX Runtime on the processor.

    Parameters
    ----------
    model : Path
        A model file; one that cannot be read is left to the device to complain of.
    root : Path
        Where the machine's ``proc`` and ``sys`` are.
    """
    if model.suffix == ".onnx":
        board = detect_board(root).device
        return "jetson:tensorrt" if board == "jetson" else f"{board}:onnx"
    if find_edge_tpus(root) and is_compiled(model):
        return "coral"
    return detect_board(root).device


def is_compiled(model: Path) -> bool:
    """Return whether a file was compiled for the Edge TPU."""
    return has_operator(model, EDGE_TPU_OPERATOR)


def has_operator(model: Path, name: bytes) -> bool:
    """Return whether a file names a custom operator, such as a compiler puts in."""
    try:
        return name in model.read_bytes()
    except OSError:
        return False
