"""Memory, swap, and what the GPU keeps for itself.

Disk space, and the size of memory pages.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edgeseg.devices.doctor.finding import Finding, Fix
from edgeseg.devices.sensors import ask_firmware

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeseg.devices.doctor.machine import Machine


_MIB = 1 << 20
# `edgeseg run` with a 513x513 int8 model takes up to 120 MB, 240 MB with pictures of
# 12 megapixels
_NEEDED = 300 * _MIB
_SMALL = 1100 * _MIB  # boards of 1 GB and less
_MOST_GPU_MIB = 128  # what older images give the GPU, none of which edgeseg uses


def check_memory(machine: Machine) -> Iterator[Finding]:
    """Look at free memory, swap, and the split with the GPU."""
    meminfo = machine.text("proc/meminfo") or ""
    total, free = _bytes(meminfo, "MemTotal"), _bytes(meminfo, "MemAvailable")
    if total is not None and free is not None:
        yield _free(total, free)
        yield _swap(machine, total)
    if machine.board.kind == "raspberry_pi":
        yield from _gpu(machine)


def _free(total: int, free: int) -> Finding:
    found = f"{free // _MIB} of {total // _MIB} MiB free"
    if free >= _NEEDED:
        return Finding("memory", "ok", found)
    return Finding(
        "memory",
        "warning",
        found,
        "a 513x513 model with a large picture takes up to 240 MB",
        Fix("end other programs (the desktop: sudo systemctl isolate multi-user)"),
    )


def _swap(machine: Machine, total: int) -> Finding:
    devices = [
        line.split()[0]
        for line in (machine.text("proc/swaps") or "").splitlines()[1:]
        if line.strip()
    ]
    if any("zram" in name for name in devices):
        return Finding("swap", "ok", "swap in compressed memory (zram)")
    if devices:
        return Finding(
            "swap",
            "note",
            f"swap on {', '.join(devices)}",
            "swapping to a card is slow and wears it out; zram is better",
            Fix("sudo apt install systemd-zram-generator"),
        )
    if total < _SMALL:
        return Finding(
            "swap",
            "warning",
            f"no swap on a board with {total // _MIB} MiB",
            "installing packages or a large picture can end the process",
            Fix("sudo apt install systemd-zram-generator"),
        )
    return Finding("swap", "ok", "no swap, none needed")


def _gpu(machine: Machine) -> Iterator[Finding]:
    answer = ask_firmware("get_mem", "gpu", path=machine.path) or ""
    found = re.search(r"gpu=(\d+)M", answer)
    if found and int(found[1]) > _MOST_GPU_MIB:
        yield Finding(
            "gpu-memory",
            "note",
            f"{found[1]} MiB are kept for the GPU",
            "edgeseg does not use them",
            Fix("gpu_mem=64 in /boot/firmware/config.txt, then restart"),
        )


def _bytes(meminfo: str, key: str) -> int | None:
    found = re.search(rf"^{key}:\s*(\d+) kB", meminfo, re.MULTILINE)
    return 1024 * int(found[1]) if found else None


_DISK_MIB = 1 << 20
_FULL = 50 * _DISK_MIB
_TIGHT = 500 * _DISK_MIB  # the wheels of a board take about 190 MB, unpacked twice that
_USUAL_PAGE = 4096


def check_storage(machine: Machine) -> Iterator[Finding]:
    """Look at the disk with the home folder, and at the kernel's page size."""
    free = machine.free_bytes
    if free < _TIGHT:
        yield Finding(
            "disk",
            "error" if free < _FULL else "warning",
            f"{free // _DISK_MIB} MiB free",
            "installing takes about 400 MB; recordings end when the disk is full",
            Fix("sudo apt clean; rm -r ~/.cache/pip"),
        )
    else:
        yield Finding("disk", "ok", f"{free // _DISK_MIB} MiB free")
    if machine.page_bytes != _USUAL_PAGE:
        yield Finding(
            "page-size",
            "note",
            f"memory pages of {machine.page_bytes // 1024} KiB",
            "the Raspberry Pi 5's default kernel has 16 KiB pages: a library built for "
            "4 KiB alone does not load (libedgetpu on PCI Express among them)",
            Fix("kernel=kernel8.img in /boot/firmware/config.txt, then restart"),
        )
