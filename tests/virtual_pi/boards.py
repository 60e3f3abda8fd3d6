"""The boards that are played: what the firmware and kernel of a Pi tell."""

from __future__ import annotations

from dataclasses import dataclass

_CORES = 4
_CORE = """\
processor\t: {number}
BogoMIPS\t: 108.00
Features\t: {features}
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x{variant}
CPU part\t: {part}
CPU revision\t: {revision}

"""
_PROCESSOR = "sys/devices/system/cpu/cpu{}"
# Raspberry Pi OS 12, 64 bit, calls itself Debian
_SYSTEM = """\
PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION_CODENAME=bookworm
ID=debian
"""


@dataclass(frozen=True)
class PiBoard:
    """One Raspberry Pi.

    Parameters
    ----------
    name : str
        What it is called here, such as ``"pi4"``.
    cpu : str
        qemu's name of the core.
    part, variant, revision : str
        Of the core, as in ``/proc/cpuinfo``.
    features : str
        What the core can do, in the kernel's words.
    code : str
        The board's revision code.
    model : str
        What the firmware calls the board.
    compatible : tuple of str
        The device tree's names of board and chip.
    max_khz : int
        Highest clock.
    """

    name: str
    cpu: str
    part: str
    variant: str
    revision: str
    features: str
    code: str
    model: str
    compatible: tuple[str, ...]
    max_khz: int

    def files(self) -> dict[str, str]:
        """Return the files in which a program finds out where it runs."""
        return {
            "etc/os-release": _SYSTEM,
            "proc/cpuinfo": self._cpuinfo(),
            "proc/meminfo": "MemTotal:        3885396 kB\n"
            "MemFree:         2900000 kB\nMemAvailable:    3300000 kB\n"
            "SwapTotal:        524272 kB\nSwapFree:         524272 kB\n",
            "proc/device-tree/model": f"{self.model}\0",
            "proc/device-tree/compatible": "".join(f"{n}\0" for n in self.compatible),
            "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
            "sys/class/thermal/thermal_zone0/temp": "48312\n",
            "sys/devices/platform/soc/soc:firmware/get_throttled": "0\n",
            **self._processors(),
        }

    def _cpuinfo(self) -> str:
        cores = (
            _CORE.format(
                number=number,
                features=self.features,
                variant=self.variant,
                part=self.part,
                revision=self.revision,
            )
            for number in range(_CORES)
        )
        told = f"Revision\t: {self.code}\nModel\t\t: {self.model}\n"
        return "".join(cores) + told

    def _processors(self) -> dict[str, str]:
        files = {}
        for number in range(_CORES):
            folder = _PROCESSOR.format(number)
            files[f"{folder}/cpufreq/scaling_governor"] = "ondemand\n"
            files[f"{folder}/cpufreq/cpuinfo_max_freq"] = f"{self.max_khz}\n"
            files[f"{folder}/topology/core_id"] = f"{number}\n"
            files[f"{folder}/topology/physical_package_id"] = "0\n"
        return files


BOARDS = {
    board.name: board
    for board in (
        PiBoard(
            name="pi4",
            cpu="cortex-a72",
            part="0xd08",
            variant="0",
            revision="3",
            features="fp asimd evtstrm crc32 cpuid",
            code="c03115",
            model="Raspberry Pi 4 Model B Rev 1.5",
            compatible=("raspberrypi,4-model-b", "brcm,bcm2711"),
            max_khz=1_800_000,
        ),
        PiBoard(
            name="pi5",
            cpu="cortex-a76",
            part="0xd0b",
            variant="4",
            revision="1",
            features="fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp "
            "cpuid asimdrdm lrcpc dcpop asimddp",
            code="c04170",
            model="Raspberry Pi 5 Model B Rev 1.0",
            compatible=("raspberrypi,5-model-b", "brcm,bcm2712"),
            max_khz=2_400_000,
        ),
    )
}
