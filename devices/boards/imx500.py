"""Sony's IMX500, the sensor of the Raspberry Pi AI Camera: it runs the network itself.

There is nothing to hand it a picture with: what the network answers comes with each
frame, through the source ``imx500:NETWORK.rpk``. This file tells `edgeseg compile` and
`edgeseg devices` of the chip.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NoReturn

from edgeseg.devices.errors import MissingDriverError
from edgeseg.devices.linux_files import ROOT
from edgeseg.devices.profile import DeviceUnit, Found, Profile

if TYPE_CHECKING:
    from pathlib import Path


def refuse(model: Path, unit: str = "", threads: int | None = None) -> NoReturn:
    """Raise `MissingDriverError`: the sensor takes no tensors.

    Parameters
    ----------
    model, unit, threads
        As of any device.
    """
    raise MissingDriverError(
        "an IMX500 runs its network on the pictures that it takes, and on no others: "
        f"edgeseg run {model.name} imx500:NETWORK.rpk"
    )


def find_sensors(root: Path = ROOT) -> list[str]:
    """Return the names of the sensor's device files, such as ``"v4l-subdev2"``."""
    found = []
    for folder in sorted((root / "sys/class/video4linux").glob("v4l-subdev*")):
        driver = folder / "device/driver/module"
        if driver.is_symlink() and "imx500" in os.readlink(driver):
            found.append(folder.name)
    return found


def _find(root: Path) -> tuple[Found, ...]:
    sensors = find_sensors(root)
    if not sensors:
        return (Found("imx500", "absent", "no AI Camera (no sensor imx500)"),)
    hint = f"AI Camera ({sensors[0]}): edgeseg run MODEL imx500:NETWORK.rpk"
    return (Found("imx500", "ready", hint),)


PROFILE = Profile(
    summary="the AI Camera of a Raspberry Pi, which runs the network in its sensor",
    units=(DeviceUnit("", "compile for it; it is used as the source imx500:"),),
    find=_find,
    placement="unknown",
    compiler="imx500",
    recipes=("float32",),
    heads=("logits-stride",),
    sizes=("385x385", "257x257"),
    advice=(
        "a float32 model, which Sony's own quantizer makes 8 bits: "
        "edgeseg compile float.tflite --device imx500 --calibration photos/",
        "8 MiB for weights and activations together",
    ),
    camera="imx500:network.rpk",
    verified="compiled, not run on hardware; the source was tried with a stand-in",
)
PLUGIN = refuse
