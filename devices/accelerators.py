"""Edge TPUs on USB and PCI Express, and Vulkan drivers, as Linux lists them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices.linux_files import ROOT, read_text, read_words

if TYPE_CHECKING:
    from pathlib import Path

# Coral USB Accelerator: Global Unichip before, Google after libedgetpu has loaded the
# firmware; Coral M.2, Mini PCIe and the Dev Board's module (coral.ai, get started)
_USB_BEFORE = ("1a6e", "089a")
_USB_AFTER = ("18d1", "9302")
_PCI = ("0x1ac1", "0x089a")
_SUPER_SPEED = 5000.0  # Mbit/s: USB 3
# drivers that draw with the processor; LiteRT's GPU accelerator takes none of them
_SOFTWARE = ("lvp", "llvmpipe", "swiftshader", "swrast")


@dataclass(frozen=True)
class EdgeTpu:
    """One Edge TPU.

    Parameters
    ----------
    bus : str
        ``"usb"`` or ``"pci"``.
    number : int
        Position among those of the bus, as libedgetpu counts.
    speed_mbit : float or None
        Of the USB link: 480 is USB 2, 5000 USB 3.
    is_started : bool
        Whether its firmware is loaded (USB) or its driver bound (PCI).
    """

    bus: str
    number: int
    speed_mbit: float | None
    is_started: bool

    @property
    def is_slow(self) -> bool:
        """Whether a USB 2 link holds it back."""
        return self.speed_mbit is not None and self.speed_mbit < _SUPER_SPEED


@dataclass(frozen=True)
class VulkanDriver:
    """One installable client driver: its manifest's name and its library."""

    name: str
    library: str

    @property
    def is_software(self) -> bool:
        """Whether it draws with the processor."""
        return any(word in f"{self.name} {self.library}" for word in _SOFTWARE)


def find_edge_tpus(root: Path = ROOT) -> tuple[EdgeTpu, ...]:
    """Return the Edge TPUs that Linux sees, USB first, in the order of the bus."""
    usb: list[EdgeTpu] = []
    for folder in sorted((root / "sys/bus/usb/devices").glob("*")):
        ids = (read_words(folder / "idVendor"), read_words(folder / "idProduct"))
        if ids in (_USB_BEFORE, _USB_AFTER):
            speed = _number(read_words(folder / "speed"))
            usb.append(EdgeTpu("usb", len(usb), speed, ids == _USB_AFTER))
    pci: list[EdgeTpu] = []
    for folder in sorted((root / "sys/bus/pci/devices").glob("*")):
        if (read_words(folder / "vendor"), read_words(folder / "device")) == _PCI:
            node = root / f"dev/apex_{len(pci)}"
            pci.append(EdgeTpu("pci", len(pci), None, node.exists()))
    return (*usb, *pci)


def find_vulkan_drivers(root: Path = ROOT) -> tuple[VulkanDriver, ...]:
    """Return the Vulkan drivers whose manifests are installed.

    References
    ----------
    Khronos, "Architecture of the Vulkan Loader Interfaces", driver discovery on Linux.
    """
    drivers = []
    for place in ("etc", "usr/local/share", "usr/share"):
        for path in sorted((root / place / "vulkan/icd.d").glob("*.json")):
            library = _library(path)
            if library:
                drivers.append(VulkanDriver(path.stem, library))
    return tuple(drivers)


def _library(manifest: Path) -> str | None:
    try:
        values = json.loads(read_text(manifest) or "")
        return str(values["ICD"]["library_path"])
    except (ValueError, KeyError, TypeError):
        return None


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None
