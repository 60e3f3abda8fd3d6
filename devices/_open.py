"""From a device string to an open device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices._plugins import PluginFolder

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices._base import Device

DEVICES = PluginFolder("device", "edgeseg.devices")


def open_device(text: str, model: Path, *, threads: int | None = None) -> Device:
    """Open a model on the device that a string names.

    Parameters
    ----------
    text : str
        ``NAME``, ``NAME:UNIT`` or ``NAME:UNIT:N``, such as ``desktop:cpu`` or
        ``coral:usb:0``; ``auto`` takes this machine's processor.
    model : Path
        A ``.tflite`` file.
    threads : int or None
        Threads of an inference; None leaves it to the device.

    Raises
    ------
    UnknownPluginError
        No such device, or the device has no such unit.
    ModelError
        The device cannot run the file.
    """
    name, _, unit = ("desktop" if text == "auto" else text).partition(":")
    device: Device = DEVICES.load(name)(model, unit, threads)
    return device
