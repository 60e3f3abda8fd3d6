"""The grammar of device strings: ``NAME``, ``NAME:UNIT``, ``NAME:UNIT:N``."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices.errors import MissingDriverError, UnknownPluginError
from edgeseg.devices.profile import Profile

if TYPE_CHECKING:
    from edgeseg.devices.plugins import PluginFolder

# what people type who come from other tools (pycoral, ONNX Runtime, PyTorch, ...)
_ELSEWHERE = {
    "cpu": "desktop:cpu",
    "gpu": "jetson:gpu",
    "cuda": "jetson:gpu",
    "tensorrt": "jetson:tensorrt",
    "trt": "jetson:tensorrt",
    "usb": "coral:usb",
    "pci": "coral:pci",
    "edgetpu": "coral",
    "tpu": "coral",
    "pi": "raspberry_pi",
    "rpi": "raspberry_pi",
    "rock": "generic",
    "odroid": "generic",
}
_ALIKE = 0.7  # difflib's ratio: one or two letters off


@dataclass(frozen=True)
class DeviceAddress:
    """A parsed device string; `unit` is empty and `number` None where not given.

    Examples
    --------
    >>> str(DeviceAddress("coral", "usb", 0))
    'coral:usb:0'
    """

    name: str
    unit: str = ""
    number: int | None = None

    def __str__(self) -> str:
        return f"{self.name}:{self.rest}" if self.rest else self.name

    @property
    def rest(self) -> str:
        """What stands behind the name, as a device file takes it."""
        return self.unit if self.number is None else f"{self.unit}:{self.number}"


def profile_of(devices: PluginFolder, name: str) -> Profile:
    """Return a device file's ``PROFILE``; an empty one where it has none.

    Raises
    ------
    UnknownPluginError
        There is no such device.
    MissingDriverError
        The file imports a package that is not installed.
    """
    devices.load(name)  # says what is wrong with the name, or with the file
    profile: Profile = getattr(devices.module(name), "PROFILE", Profile(summary=""))
    return profile


def parse_address(text: str, devices: PluginFolder) -> DeviceAddress:
    """Return what a device string names, after a look at the device's units.

    Raises
    ------
    UnknownPluginError
        No such device or unit, or the string breaks the grammar; the message lists
        the known ones and names the one that was probably meant.
    """
    name, rest = _split(text, devices)
    if name not in devices.names():
        known = ", ".join(devices.names())
        raise UnknownPluginError(
            f"unknown device {text!r}; known: {known}{_meant(text, devices)}"
        )
    profile = profile_of(devices, name)
    if not profile.units:
        return DeviceAddress(name, rest)
    unit, colon, number = rest.partition(":")
    found = next((u for u in profile.units if u.name == unit), None)
    if found is None:
        raise UnknownPluginError(_no_unit(f"{name}:{rest}", name, profile, devices))
    if not colon:
        return DeviceAddress(name, unit)
    if not found.numbered or not (number.isascii() and number.isdigit()):
        wanted = f"{name}:{unit}:N with N = 0, 1, ..." if found.numbered else "no :N"
        raise UnknownPluginError(
            f"device {text!r}: expected {wanted}, got {number!r} behind the unit; "
            f"known: {', '.join(_strings(name, profile))}"
        )
    return DeviceAddress(name, unit, int(number))


def _split(text: str, devices: PluginFolder) -> tuple[str, str]:
    """Return name and unit; ``ethos-u65-512`` is ``ethos_u:65-512`` as chips write it.

    A name with hyphens for underscores may have its unit behind it without a colon; a
    unit that is a chip's own name, as ``rk3588`` of ``rockchip``, needs no name.
    """
    name, _, rest = text.partition(":")
    for known in () if name in devices.names() else devices.names():
        written = known.replace("_", "-")
        unit = text[len(written) :]
        if "-" in written and text.startswith(written) and unit[:1].isdigit():
            return known, unit
        if _is_chip(text) and text in _targets(known, devices):
            return known, text
    return name, rest


def _is_chip(unit: str) -> bool:
    """Return whether a unit is written as chips are, such as ``"rk3588"``."""
    return unit[:1].isalpha() and unit[-1:].isdigit() and unit.isalnum()


def _targets(name: str, devices: PluginFolder) -> tuple[str, ...]:
    try:
        return profile_of(devices, name).targets
    except MissingDriverError:  # of that file; the question was another
        return ()


def chip_string(name: str, unit: str) -> str:
    """Return a device string as its maker writes it; see `_split`.

    Examples
    --------
    >>> chip_string("ethos_u", "65-512"), chip_string("coral", "usb")
    ('ethos-u65-512', 'coral:usb')
    >>> chip_string("rockchip", "rk3588")
    'rk3588'
    """
    if _is_chip(unit):
        return unit
    if "_" in name and unit[:1].isdigit():
        return name.replace("_", "-") + unit
    return f"{name}:{unit}" if unit else name


def nodes_of(address: DeviceAddress, devices: PluginFolder) -> tuple[str, ...]:
    """Return the device files that a device opens; see `DeviceUnit`."""
    units = profile_of(devices, address.name).units
    return next((unit.nodes for unit in units if unit.name == address.unit), ())


def _no_unit(text: str, name: str, profile: Profile, devices: PluginFolder) -> str:
    known = ", ".join(_strings(name, profile))
    rest = text.partition(":")[2]
    return (
        f"device {name!r} has no unit {rest!r}; known: {known}{_meant(text, devices)}"
    )


def _meant(text: str, devices: PluginFolder) -> str:
    """Return ``; did you mean '...'?`` where a known string is nearly `text`."""
    name, _, rest = text.strip().lower().partition(":")
    if name in _ELSEWHERE:
        return _ask(f"{_ELSEWHERE[name]}:{rest}" if rest else _ELSEWHERE[name])
    plain = text.strip().lower().replace("-", "_").replace(" ", "_")
    names = devices.names()
    head, tail = plain.partition(":")[::2]
    near = difflib.get_close_matches(head, names, n=1, cutoff=_ALIKE)
    if near and not tail:
        return _ask(near[0])
    # importing the light device files is dear only for a string that is wrong anyway
    strings = {s.replace("-", "_"): s for n in names for s in _offered(n, devices)}
    unit, _, number = tail.partition(":")
    wanted = f"{near[0] if near else head}:{unit}" if unit else head.replace("_", ":")
    close = difflib.get_close_matches(wanted, strings, n=1, cutoff=_ALIKE)
    if not close:
        return _ask(near[0]) if near else ""
    return _ask(f"{strings[close[0]]}:{number}" if number else strings[close[0]])


def _offered(name: str, devices: PluginFolder) -> list[str]:
    try:
        return _strings(name, profile_of(devices, name))
    except MissingDriverError:  # of that file; the question was another
        return [name]


def _ask(meant: str) -> str:
    return f"; did you mean {meant!r}?"


def _strings(name: str, profile: Profile) -> list[str]:
    return [f"{name}:{unit.name}" if unit.name else name for unit in profile.units]
