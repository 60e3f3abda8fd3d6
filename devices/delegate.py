"""Libraries that an interpreter hands operators to: found, examined, loaded.

An external delegate is a shared library with the two functions of TensorFlow Lite's
``external_delegate_interface.h``. One for another processor, or cut short, ends the
process when it is loaded; so the file is examined first.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices.errors import MissingDriverError
from edgeseg.devices.linux_files import ROOT
from edgeseg.devices.plain_text import one_line, reason_of
from edgeseg.devices.quiet import quiet

if TYPE_CHECKING:
    from edgeseg.devices.litert import Runtime
    from edgeseg.devices.types import Untyped

_PLACES = ("usr/local/lib", "usr/lib/*-linux-gnu*", "usr/lib", "lib/*-linux-gnu*")
# ELF e_machine (System V ABI): what platform.machine() calls the same processors
_MACHINES = {0x03: "i686", 0x28: "armv7l", 0x3E: "x86_64", 0xB7: "aarch64"}
_SAME = {"amd64": "x86_64", "arm64": "aarch64", "armv6l": "armv7l", "armhf": "armv7l"}


@dataclass(frozen=True)
class DelegateLibrary:
    """A library that brings a chip to an interpreter.

    Parameters
    ----------
    title : str
        What messages call it, such as ``"libedgetpu"``.
    files : tuple of str
        File names that it has, the preferred one first.
    variable : str
        Environment variable that names another file.
    chip : str
        What it opens, such as ``"the Edge TPU"``.
    hint : str
        Says that it is not there, and where to get it.
    """

    title: str
    files: tuple[str, ...]
    variable: str
    chip: str
    hint: str

    def find(self, root: Path = ROOT) -> Path | None:
        """Return the installed library, or the one that the variable names.

        Parameters
        ----------
        root : Path
            Where ``usr`` and ``lib`` are.
        """
        if chosen := os.environ.get(self.variable):
            return Path(chosen)
        for file in self.files:
            for place in _PLACES:
                for path in sorted(root.glob(f"{place}/{file}")):
                    return path
        return None

    def installed(self, root: Path = ROOT) -> Path:
        """Return what `find` returns.

        Raises
        ------
        MissingDriverError
            There is none.
        """
        path = self.find(root)
        if path is None:
            raise MissingDriverError(self.hint)
        return path

    def check(self, path: Path) -> None:
        """Raise unless a library is there and is for this processor.

        Raises
        ------
        MissingDriverError
            Missing, unreadable, no library, or for another processor.
        """
        try:
            found = library_architecture(path)
        except OSError as error:
            raise MissingDriverError(
                f"cannot read {self.title} {path}: {reason_of(error)}"
            ) from error
        here = platform.machine()
        if found is not None and not is_whole(path):
            raise MissingDriverError(f"{path} is cut short: install {self.title} again")
        if found is None:
            raise MissingDriverError(f"{path} is no shared library (no ELF file)")
        if found != _SAME.get(here, here):
            raise MissingDriverError(
                f"{path} is built for {found}, this is {here}: install the "
                f"{self.title} package of this architecture"
            )

    def load(self, path: Path, runtime: Runtime, options: dict[str, str]) -> Untyped:
        """Return the delegate, loaded by the interpreter that will use it.

        Parameters
        ----------
        path : Path
            The library.
        runtime : Runtime
            The interpreter package.
        options : dict
            Of the library.

        Raises
        ------
        MissingDriverError
            The library cannot be loaded, or finds no chip.
        """
        self.check(path)
        try:
            # the interpreter's own loader prints a second error from its destructor
            # where loading fails half-way: find that out first
            library = ctypes.PyDLL(str(path))
            _ = (
                library.tflite_plugin_create_delegate,
                library.tflite_plugin_destroy_delegate,
            )
        except OSError as error:
            raise MissingDriverError(
                f"{path} cannot be loaded: {one_line(error)}"
            ) from error
        except AttributeError as error:
            raise MissingDriverError(
                f"{path} is no {self.title}: {one_line(error)}"
            ) from error
        return self._create(path, runtime, options)

    def _create(self, path: Path, runtime: Runtime, options: dict[str, str]) -> Untyped:
        try:
            with quiet() as chatter:
                return runtime.module.load_delegate(str(path), options)
        except (ValueError, RuntimeError) as error:
            reason = one_line(error, 120) if str(error).strip() else chatter.tail()
            raise MissingDriverError(
                f"{self.title} cannot open {self.chip} ({reason}): is it used by "
                "another process, or is permission missing? edgeseg doctor tells more"
            ) from error


def library_architecture(path: Path) -> str | None:
    """Return the processor that a shared library is for, None for no ELF file.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(20)
    if head[:4] != b"\x7fELF" or len(head) < 20:
        return None
    order = "<" if head[5] == 1 else ">"
    machine: int = struct.unpack(f"{order}H", head[18:20])[0]
    return _MACHINES.get(machine, f"ELF machine {machine:#x}")


def is_whole(path: Path) -> bool:
    """Return whether an ELF file reaches as far as its header says.

    Loading one that was cut short (a broken download) kills the process with SIGBUS.
    The section headers stand last in a file.
    """
    with path.open("rb") as file:
        head = file.read(64).ljust(64, b"\0")
    order = "<" if head[5] == 1 else ">"
    # e_shoff; e_shentsize and e_shnum
    word, at, sizes_at = ("Q", 0x28, 0x3A) if head[4] == 2 else ("I", 0x20, 0x2E)
    (offset,) = struct.unpack_from(f"{order}{word}", head, at)
    size, count = struct.unpack_from(f"{order}HH", head, sizes_at)
    end: int = offset + size * count
    return path.stat().st_size >= end
