"""What a device file says of itself: its units, and what suits it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeseg.devices.types import Json


@dataclass(frozen=True)
class DeviceUnit:
    """One way to use a device.

    Parameters
    ----------
    name : str
        What stands behind the first colon, such as ``"usb"``; empty for the device's
        name alone.
    text : str
        One line on what it does.
    numbered : bool
        Whether ``:N`` may follow, counted from 0.
    placement : str
        As `Profile.placement`, where this unit differs; empty where it does not.
    nodes : tuple of str
        Device files that it opens beside GPUs and cameras, as systemd's
        ``DeviceAllow=`` takes them.
    target : bool
        Whether a model is compiled for this unit in particular.
    """

    name: str
    text: str
    numbered: bool = False
    placement: str = ""
    nodes: tuple[str, ...] = ()
    target: bool = False


@dataclass(frozen=True)
class Found:
    """One device string and what stands in its way.

    Parameters
    ----------
    device : str
        Such as ``"coral:usb:0"``.
    state : str
        ``"ready"``: as far as can be seen without opening it; ``"incomplete"``: the
        hardware is there, something else is missing; ``"absent"``: no such hardware.
    hint : str
        What is there, or what to do about it.
    """

    device: str
    state: str
    hint: str

    def to_dict(self) -> Json:
        """Return the fields as JSON values."""
        return {"device": self.device, "state": self.state, "hint": self.hint}


@dataclass(frozen=True)
class Profile:
    """A device file's description, read without opening anything.

    Parameters
    ----------
    summary : str
        One line.
    units : tuple of DeviceUnit
        In the order to list them; empty where any unit is taken.
    find : callable or None
        Takes the root folder, returns what is here and what could be.
    recipes, heads, sizes : tuple of str
        Quantization recipes, kinds of head and input sizes that suit it, best first.
    advice : tuple of str
        What else to know when choosing a model.
    placement : str
        What runs a TFLite model's operators, for ``edgeseg check``: ``"edgetpu"``,
        ``"ethosu65"``, ``"ethosu85"``, ``"gpu"``, ``"xnnpack"``, ``"cpu"`` (no
        delegate), ``"onnx"`` (ONNX Runtime, which takes no TFLite model), ``"unknown"``
        (the maker's compiler alone knows) or ``"none"`` (nothing runs them).
    compiler : str
        The compiler that a model goes through before it runs there, a name of
        ``edgeseg.converter.compilers``; empty where there is none.
    camera : str
        Source string of the camera that the board usually has.
    install : tuple of str
        Commands that install what it needs beside edgeseg.
    verified : str
        On what this file has been run.
    """

    summary: str
    units: tuple[DeviceUnit, ...] = ()
    find: Callable[[Path], tuple[Found, ...]] | None = None
    recipes: tuple[str, ...] = ("int8", "float32")
    heads: tuple[str, ...] = ("logits-stride", "logits")
    sizes: tuple[str, ...] = ("257x257", "513x513")
    advice: tuple[str, ...] = ()
    placement: str = "xnnpack"
    compiler: str = ""
    camera: str = "camera:0"
    install: tuple[str, ...] = ()
    verified: str = "not run on hardware"

    def placement_of(self, unit: str) -> str:
        """Return what runs a model's operators on one of the units."""
        own = (u.placement for u in self.units if u.name == unit)
        return next(own, "") or self.placement

    @property
    def targets(self) -> tuple[str, ...]:
        """The units that a model is compiled for; one that is empty is the device."""
        own = tuple(unit.name for unit in self.units if unit.target)
        return (own or ("",)) if self.compiler else ()

    def to_dict(self) -> Json:
        """Return what suits the device, as JSON values."""
        return {
            "summary": self.summary,
            "units": [unit.name for unit in self.units],
            "recipes": list(self.recipes),
            "heads": list(self.heads),
            "sizes": list(self.sizes),
            "advice": list(self.advice),
            "compiler": self.compiler,
            "camera": self.camera,
            "install": list(self.install),
            "verified": self.verified,
        }
