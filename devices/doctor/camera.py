"""Cameras: device nodes, the user's groups, libcamera and Picamera2."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edgeseg.devices.doctor.finding import Finding, Fix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeseg.devices.doctor.machine import Machine

_SYSTEM_PACKAGES = "usr/lib/python3/dist-packages"
_VENV = "python3 -m venv --system-site-packages"


def check_camera(machine: Machine) -> Iterator[Finding]:
    """Look for cameras, and for what keeps this user or Python from them."""
    nodes = machine.files("dev/video[0-9]*")
    if nodes:
        names = ", ".join(f"/dev/{node.name}" for node in nodes[:4])
        yield Finding("camera-nodes", "ok", f"{len(nodes)} video devices: {names}")
        yield from missing_group(machine, "video", "camera devices cannot be opened")
    else:
        yield Finding("camera-nodes", "note", "no /dev/video*: no camera is plugged in")
    if machine.files("dev/dri/renderD*"):
        yield from missing_group(machine, "render", "the GPU cannot be opened")
    if machine.board.kind == "raspberry_pi":
        yield _picamera2(machine)
        yield from _listed(machine)


def missing_group(machine: Machine, group: str, why: str) -> Iterator[Finding]:
    """Yield an error where the user is not in a group that the system knows."""
    known = machine.has_group(group)
    if machine.is_root or group in machine.groups or not known:
        return
    yield Finding(
        f"group-{group}",
        "error",
        f"user {machine.user} is not in the group {group}",
        f"{why}; after the command log in again",
        Fix(("usermod", "-aG", group, machine.user), is_safe=True, needs_root=True),
    )


def _picamera2(machine: Machine) -> Finding:
    if not machine.files(f"{_SYSTEM_PACKAGES}/picamera2/__init__.py"):
        return Finding(
            "picamera2",
            "warning",
            "Picamera2 is not installed",
            "cameras on the ribbon cable need it (USB cameras do not)",
            Fix("sudo apt install python3-picamera2"),
        )
    versions = _libcamera_pythons(machine)
    here = f"{machine.python[0]}{machine.python[1]}"
    if versions and here not in versions:
        return Finding(
            "picamera2",
            "error",
            f"libcamera is built for Python {_dotted(versions[0])}, this is Python "
            f"{_dotted(here)}",
            "Picamera2 works only with the system's own Python",
            Fix(f"/usr/bin/{_VENV} ~/edgeseg"),
        )
    if machine.in_venv and not machine.sees_system:
        return Finding(
            "picamera2",
            "error",
            "this virtual environment does not see the system's Picamera2",
            "Picamera2 comes from apt, not from pip",
            Fix(f"{_VENV} ~/edgeseg"),
        )
    return Finding("picamera2", "ok", "the system's Picamera2 is visible")


def _libcamera_pythons(machine: Machine) -> list[str]:
    """Return the Pythons that libcamera's bindings are built for, such as ``"311"``."""
    files = machine.files(f"{_SYSTEM_PACKAGES}/libcamera/_libcamera.cpython-*.so")
    return [found[1] for f in files if (found := re.search(r"cpython-(\d+)", f.name))]


def _dotted(digits: str) -> str:
    return f"{digits[0]}.{digits[1:]}"


def _listed(machine: Machine) -> Iterator[Finding]:
    for program in ("rpicam-hello", "libcamera-hello"):
        listing = machine.run(program, "--list-cameras")
        if listing is None:
            continue
        if "No cameras available" in listing:
            yield Finding(
                "csi-camera",
                "warning",
                "libcamera sees no camera",
                "the ribbon cable sits loose or the wrong way round, or a camera of "
                "another make needs its overlay",
                Fix("check the cable; else dtoverlay=... in /boot/firmware/config.txt"),
            )
        else:
            count = len(re.findall(r"^\d+ :", listing, re.MULTILINE))
            yield Finding("csi-camera", "ok", f"libcamera sees {count} cameras")
        return
