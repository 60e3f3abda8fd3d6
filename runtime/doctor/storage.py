"""Disk space, and the size of memory pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.doctor.finding import Finding, Fix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeseg.runtime.doctor.machine import Machine

_MIB = 1 << 20
_FULL = 50 * _MIB
_TIGHT = 500 * _MIB  # the wheels of a board take about 190 MB, unpacked twice that
_USUAL_PAGE = 4096


def check_storage(machine: Machine) -> Iterator[Finding]:
    """Look at the disk with the home folder, and at the kernel's page size."""
    free = machine.free_bytes
    if free < _TIGHT:
        yield Finding(
            "disk",
            "error" if free < _FULL else "warning",
            f"{free // _MIB} MiB free",
            "installing takes about 400 MB; recordings end when the disk is full",
            Fix("sudo apt clean; rm -r ~/.cache/pip"),
        )
    else:
        yield Finding("disk", "ok", f"{free // _MIB} MiB free")
    if machine.page_bytes != _USUAL_PAGE:
        yield Finding(
            "page-size",
            "note",
            f"memory pages of {machine.page_bytes // 1024} KiB",
            "the Raspberry Pi 5's default kernel has 16 KiB pages: a library built for "
            "4 KiB alone does not load (libedgetpu on PCI Express among them)",
            Fix("kernel=kernel8.img in /boot/firmware/config.txt, then restart"),
        )
