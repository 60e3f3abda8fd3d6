"""Whether a GPU's Vulkan driver is there, for boards that can use one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices._accelerators import find_vulkan_drivers
from edgeseg.runtime.doctor.finding import Finding, Fix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeseg.runtime.doctor.machine import Machine


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
