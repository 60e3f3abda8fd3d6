"""Which board this is, from the device tree, ``/proc``, ``/etc`` and DMI.

Of a Raspberry Pi the revision code says more: its memory and processor.

References
----------
Raspberry Pi documentation, "Raspberry Pi revision codes" (new-style codes).
"""

from __future__ import annotations

import platform
import re
import struct
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from edgeseg.devices.linux_files import ROOT, read_text, read_words

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Json


# ARM's cpuinfo has no model name, only numbers (Arm: Main ID Register, part number)
_ARM_PARTS = {
    "0xb76": "ARM1176",
    "0xc07": "Cortex-A7",
    "0xd03": "Cortex-A53",
    "0xd04": "Cortex-A35",
    "0xd05": "Cortex-A55",
    "0xd07": "Cortex-A57",
    "0xd08": "Cortex-A72",
    "0xd09": "Cortex-A73",
    "0xd0b": "Cortex-A76",
    "0xd42": "Cortex-A78AE",
}
_CORAL_BOARDS = ("phanbell", "coral dev board", "mt8167")
# "# R36 (release), REVISION: 4.3, GCID: ..." (NVIDIA Jetson Linux developer guide)
_TEGRA_RELEASE = re.compile(r"R(\d+) \(release\), REVISION: ([\d.]+)")


@dataclass(frozen=True)
class Board:
    """One machine.

    Parameters
    ----------
    kind : str
        ``"raspberry_pi"``, ``"coral_dev_board"``, ``"jetson"``, ``"generic"`` (any
        other machine with a device tree: Rock, Odroid, ...) or ``"desktop"``.
    model : str or None
        What the firmware calls it.
    soc : str or None
        The chip, such as ``"BCM2711"`` or ``"rk3588"``.
    processor : str or None
        Kind of the cores, such as ``"Cortex-A55 + Cortex-A76"``.
    architecture : str
        What the kernel runs, such as ``"aarch64"``.
    bits : int
        32 or 64, of the userland: a 64-bit kernel can run a 32-bit one.
    memory_bytes : int or None
        What the kernel may use.
    fitted_bytes : int or None
        What is soldered on, where a Raspberry Pi's revision code says it.
    system, system_id : str or None
        Name of the system image; its id and version, such as ``"debian 12"``.
    release : str or None
        Jetson Linux release, such as ``"36.4.3"``.
    """

    kind: str
    model: str | None
    soc: str | None
    processor: str | None
    architecture: str
    bits: int
    memory_bytes: int | None
    fitted_bytes: int | None = None
    system: str | None = None
    system_id: str | None = None
    release: str | None = None

    @property
    def device(self) -> str:
        """The device that runs models on this board's processor."""
        return "generic" if self.kind == "coral_dev_board" else self.kind

    def to_dict(self) -> Json:
        """Return the fields as JSON values."""
        return asdict(self)


def detect_board(
    root: Path = ROOT, *, architecture: str | None = None, bits: int | None = None
) -> Board:
    """Return what a machine's files say it is.

    Parameters
    ----------
    root : Path
        Where ``proc``, ``sys`` and ``etc`` are.
    architecture : str or None
        What the kernel calls the processor; None asks it.
    bits : int or None
        Of the userland; None takes this interpreter's.
    """
    release = read_jetson_release(root)
    revision = _revision(root)
    chips = _compatible(root)
    return Board(
        kind=_kind(root, chips, release, revision),
        model=read_model(root),
        soc=revision.soc if revision else (chips[-1].partition(",")[2] or None),
        processor=read_processor(root),
        architecture=architecture or platform.machine(),
        bits=bits or 8 * struct.calcsize("P"),
        memory_bytes=read_memory(root),
        fitted_bytes=revision.memory_bytes if revision else None,
        system=read_system(root),
        system_id=read_system_id(root),
        release=release,
    )


def read_model(root: Path = ROOT) -> str | None:
    """Return the name that the firmware gives the machine."""
    for place in (
        "proc/device-tree/model",
        "sys/firmware/devicetree/base/model",
    ):
        if name := read_words(root / place):
            return name
    cpuinfo = read_text(root / "proc/cpuinfo") or ""
    if named := re.search(r"^Model\s*:\s*(.+)$", cpuinfo, re.MULTILINE):
        return named[1].strip()
    return read_words(root / "sys/class/dmi/id/product_name") or None


def read_processor(root: Path = ROOT) -> str | None:
    """Return the processor's name; on ARM the kinds of its cores."""
    cpuinfo = read_text(root / "proc/cpuinfo") or ""
    if named := re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE):
        return named[1].strip()
    parts = sorted(set(re.findall(r"^CPU part\s*:\s*(\S+)", cpuinfo, re.MULTILINE)))
    return " + ".join(map(part_name, parts)) or None


def read_features(root: Path = ROOT) -> frozenset[str]:
    """Return what every core of an ARM processor can do; empty where unknown.

    The names are the kernel's, such as ``"atomics"`` or ``"asimddp"`` (Linux: ARM64
    ELF hwcaps).
    """
    cpuinfo = read_text(root / "proc/cpuinfo") or ""
    cores = re.findall(r"^Features\s*:(.*)$", cpuinfo, re.MULTILINE)
    return frozenset.intersection(*(frozenset(c.split()) for c in cores or [""]))


def part_name(part: str) -> str:
    """Return the name behind a ``CPU part`` number of ``/proc/cpuinfo``."""
    return _ARM_PARTS.get(part, f"ARM part {part}")


def read_memory(root: Path = ROOT) -> int | None:
    """Return the bytes of memory that the kernel may use."""
    found = re.search(r"^MemTotal:\s*(\d+) kB", read_text(root / "proc/meminfo") or "")
    return 1024 * int(found[1]) if found else None


def read_system(root: Path = ROOT) -> str | None:
    """Return the name of the system image (os-release(5))."""
    release = read_text(root / "etc/os-release") or ""
    named = re.search(r'^PRETTY_NAME="?([^"\n]+)', release, re.MULTILINE)
    return named[1] if named else None


def read_system_id(root: Path = ROOT) -> str | None:
    """Return id and version of the system image, such as ``"debian 12"``."""
    release = read_text(root / "etc/os-release") or ""
    fields = [
        re.search(rf'^{key}="?([^"\n]+)', release, re.MULTILINE)
        for key in ("ID", "VERSION_ID")
    ]
    return " ".join(found[1] for found in fields if found) or None


def read_jetson_release(root: Path = ROOT) -> str | None:
    """Return the release of Jetson Linux, such as ``"36.4.3"``."""
    found = _TEGRA_RELEASE.search(read_text(root / "etc/nv_tegra_release") or "")
    return f"{found[1]}.{found[2]}" if found else None


def _kind(
    root: Path, chips: list[str], release: str | None, revision: Revision | None
) -> str:
    model = (read_model(root) or "").lower()
    if "raspberry pi" in model or revision is not None:
        return "raspberry_pi"
    if any(word in f"{model} {chips[-1]}" for word in _CORAL_BOARDS):
        return "coral_dev_board"
    if release or "jetson" in model or any(c.startswith("nvidia,") for c in chips):
        return "jetson"
    has_tree = (root / "proc/device-tree").is_dir() and model
    return "generic" if has_tree else "desktop"


def _compatible(root: Path) -> list[str]:
    """Return the device tree's names of the board, the last one being the chip."""
    compatible = read_text(root / "proc/device-tree/compatible") or ""
    return [name for name in compatible.split("\0") if name.strip()] or [""]


def _revision(root: Path) -> Revision | None:
    cpuinfo = read_text(root / "proc/cpuinfo") or ""
    found = re.search(r"^Revision\s*:\s*(\w+)\s*$", cpuinfo, re.MULTILINE)
    return decode_revision(found[1]) if found else None


_NEW_STYLE = 1 << 23
_SMALLEST = 256 << 20  # bytes; the code holds how often it is doubled
_CHIPS = ("BCM2835", "BCM2836", "BCM2837", "BCM2711", "BCM2712")
_TYPES = {
    0x00: "A",
    0x01: "B",
    0x02: "A+",
    0x03: "B+",
    0x04: "2B",
    0x06: "CM1",
    0x08: "3B",
    0x09: "Zero",
    0x0A: "CM3",
    0x0C: "Zero W",
    0x0D: "3B+",
    0x0E: "3A+",
    0x10: "CM3+",
    0x11: "4B",
    0x12: "Zero 2 W",
    0x13: "400",
    0x14: "CM4",
    0x15: "CM4S",
    0x17: "5",
    0x18: "CM5",
    0x19: "500",
    0x1A: "CM5 Lite",
}


@dataclass(frozen=True)
class Revision:
    """A decoded revision code: type such as ``"4B"``, chip, and memory in bytes."""

    model: str | None
    soc: str | None
    memory_bytes: int


def decode_revision(code: str) -> Revision | None:
    """Return what a code such as ``"c03115"`` says, None for old codes and garbage.

    Parameters
    ----------
    code : str
        Hexadecimal, as behind ``Revision`` in ``/proc/cpuinfo``. Codes from before
        the Raspberry Pi 2 carry no fields: no such board has a 64-bit processor.

    Examples
    --------
    >>> decode_revision("c03115")
    Revision(model='4B', soc='BCM2711', memory_bytes=4294967296)
    >>> decode_revision("000e") is None
    True
    """
    if not re.fullmatch(r"[0-9a-fA-F]{1,8}", code):
        return None
    bits = int(code, 16)
    if not bits & _NEW_STYLE:
        return None
    chip = bits >> 12 & 0xF
    return Revision(
        model=_TYPES.get(bits >> 4 & 0xFF),
        soc=_CHIPS[chip] if chip < len(_CHIPS) else None,
        memory_bytes=_SMALLEST << (bits >> 20 & 0x7),
    )
