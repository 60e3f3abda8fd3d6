"""Coral: the bus it hangs on, its library, its driver, and the user's rights.

Whether a GPU's Vulkan driver is there, for boards that can use one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices.accelerators import EdgeTpu, find_edge_tpus, find_vulkan_drivers
from edgeseg.devices.delegate import library_architecture
from edgeseg.devices.doctor.camera import missing_group
from edgeseg.devices.doctor.finding import Finding, Fix
from edgeseg.devices.edgetpu import LIBEDGETPU, misfit, package_version
from edgeseg.devices.inventory import INTERPRETERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edgeseg.devices.doctor.machine import Machine


_INSTALL = "sudo apt install libedgetpu1-std"
_RULES = ("etc/udev/rules.d/*.rules", "lib/udev/rules.d/*.rules")
_RULES_TOO = ("usr/lib/udev/rules.d/*.rules",)
_UPSTREAM = "libedgetpu built against TensorFlow 2.13 or later"


def check_coral(machine: Machine) -> Iterator[Finding]:
    """Look at each Edge TPU; at the library where there is one or the other."""
    tpus = find_edge_tpus(machine.root)
    for tpu in tpus:
        yield from _usb(tpu) if tpu.bus == "usb" else _pci(machine, tpu)
    if any(tpu.bus == "usb" for tpu in tpus):
        yield from _rights(machine)
    library = LIBEDGETPU.find(machine.root)
    if library is None:
        if tpus:
            why = "nothing can be run on the Edge TPU"
            fix = Fix(_INSTALL)
            found = "libedgetpu is not installed"
            yield Finding("coral-library", "error", found, why, fix)
        return
    yield from _library(machine, library, is_used=bool(tpus))


def _usb(tpu: EdgeTpu) -> Iterator[Finding]:
    name = f"coral:usb:{tpu.number}"
    if tpu.is_slow:
        yield Finding(
            "coral-usb2",
            "warning",
            f"{name} runs at {tpu.speed_mbit:.0f} Mbit/s: USB 2",
            "moving pictures to it takes longer than the inference",
            Fix("plug it into a blue USB 3 socket, with the cable that came with it"),
        )
    else:
        speed = f" at {tpu.speed_mbit:.0f} Mbit/s" if tpu.speed_mbit else ""
        yield Finding("coral-usb", "ok", f"{name}{speed}")
    if not tpu.is_started:
        yield Finding(
            "coral-firmware",
            "note",
            f"{name} shows as 1a6e:089a: its firmware is not loaded yet",
            "libedgetpu loads it at the first inference, which takes seconds longer; "
            "in a virtual machine or container pass both USB ids through",
        )


def _pci(machine: Machine, tpu: EdgeTpu) -> Iterator[Finding]:
    name = f"coral:pci:{tpu.number}"
    if tpu.is_started:
        yield Finding("coral-pci", "ok", name)
        yield from missing_group(machine, "apex", "the Edge TPU cannot be opened")
        return
    yield Finding(
        "coral-driver",
        "error",
        f"{name} has no /dev/apex_{tpu.number}",
        "the kernel modules gasket and apex are not loaded",
        Fix("sudo apt install gasket-dkms && sudo modprobe apex"),
    )


def _rights(machine: Machine) -> Iterator[Finding]:
    files = [p for pattern in (*_RULES, *_RULES_TOO) for p in machine.files(pattern)]
    texts = [machine.text(str(p.relative_to(machine.root))) or "" for p in files]
    if not any("1a6e" in text and "18d1" in text for text in texts):
        yield Finding(
            "coral-udev",
            "warning",
            "no udev rule names 1a6e and 18d1",
            "only root can open the Edge TPU",
            Fix(f"{_INSTALL} (brings the rule), then plug the Coral in again"),
        )
    yield from missing_group(machine, "plugdev", "the Edge TPU cannot be opened")


def _library(machine: Machine, path: Path, *, is_used: bool) -> Iterator[Finding]:
    severity = "error" if is_used else "warning"
    try:
        built = library_architecture(path)
    except OSError:
        built = None
    if built != machine.architecture:
        yield Finding(
            "coral-library",
            severity,
            f"{path} is built for {built or 'nothing (no ELF file)'}, this is "
            f"{machine.architecture}",
            "it cannot be loaded",
            Fix(f"{_INSTALL} (for this architecture)"),
        )
        return
    version = package_version(machine.root)
    yield Finding(
        "coral-library", "ok", f"libedgetpu {version or 'of unknown version'}"
    )
    yield from _match(machine, version, severity)


def _match(machine: Machine, version: str | None, severity: str) -> Iterator[Finding]:
    installed = [
        (n, machine.packages[n]) for n in INTERPRETERS if n in machine.packages
    ]
    reasons = [misfit(version, name, own) for name, own in installed]
    if not installed:
        return
    if all(reasons):
        why = "the process dies without a message when a model is opened"
        found = str(reasons[0]).partition(";")[0]
        fix = Fix(f"install a {_UPSTREAM}")
        yield Finding("coral-match", severity, found, why, fix)
    elif version is None:
        yield Finding(
            "coral-match",
            "note",
            "it cannot be told which interpreter libedgetpu fits",
            f"it should be a {_UPSTREAM}",
        )
    else:
        name, own = installed[reasons.index(None)]
        yield Finding("coral-match", "ok", f"not known to clash with {name} {own}")


def check_gpu(machine: Machine) -> Iterator[Finding]:
    """Look for Vulkan drivers; say nothing where no GPU is in play."""
    drivers = find_vulkan_drivers(machine.root)
    real = [driver.name for driver in drivers if not driver.is_software]
    if real:
        yield Finding("vulkan", "ok", f"Vulkan driver {', '.join(real)}")
        return
    if machine.board.kind != "jetson" and not drivers:
        return
    only = "only drivers that draw with the processor" if drivers else "none installed"
    yield Finding(
        "vulkan",
        "warning" if machine.board.kind == "jetson" else "note",
        f"no Vulkan driver of a GPU: {only}",
        "jetson:gpu cannot be used; the processor can",
        Fix("sudo apt install nvidia-l4t-core nvidia-l4t-3d-core")
        if machine.board.kind == "jetson"
        else None,
    )
