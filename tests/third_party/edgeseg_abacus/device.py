"""The device `abacus`: the processor, for models that its compiler has copied."""

from edgeseg.devices.profile import DeviceUnit, Found, Profile
from edgeseg.devices.tflite import TFLiteDevice


def _open(model, unit="", threads=None):
    return TFLiteDevice(model, name=f"abacus:{unit}", threads=threads or 1)


PROFILE = Profile(
    summary="beads on wires",
    units=(
        DeviceUnit("", "an abacus"),
        DeviceUnit("13", "one with 13 wires", target=True),
    ),
    find=lambda root: (Found("abacus", "ready", "beads on wires"),),
    compiler="abacus",
    verified="in the tests",
)
PLUGIN = _open
