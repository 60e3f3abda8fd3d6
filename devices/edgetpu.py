"""libedgetpu: where it is, whether it fits the interpreter, and loading it.

The library holds a copy of TensorFlow Lite's internal structures. An interpreter of
another generation kills the process instead of raising: google-coral/edgetpu #812
(Google's 16.0, built against TensorFlow 2.5, from tflite-runtime 2.12 on), #731, #666.
So what is known not to fit is refused before anything is loaded.
"""

from __future__ import annotations

import ctypes
import os
import platform
import re
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices.errors import MissingDriverError
from edgeseg.devices.linux_files import ROOT, read_text
from edgeseg.devices.litert import Runtime, find_runtime
from edgeseg.devices.plain_text import one_line, reason_of
from edgeseg.devices.quiet import quiet

if TYPE_CHECKING:
    from edgeseg.devices.types import Untyped

LIBRARY = "libedgetpu.so.1"
VARIABLE = "EDGESEG_LIBEDGETPU"
_PLACES = ("usr/local/lib", "usr/lib/*-linux-gnu*", "usr/lib", "lib/*-linux-gnu*")
# ELF e_machine (System V ABI): what platform.machine() calls the same processors
_MACHINES = {0x03: "i686", 0x28: "armv7l", 0x3E: "x86_64", 0xB7: "aarch64"}
_SAME = {"amd64": "x86_64", "arm64": "aarch64", "armv6l": "armv7l", "armhf": "armv7l"}
# the first interpreter that crashes with Google's own build (edgetpu #812)
_FIRST_MISFIT = (2, 12)


def find_library(root: Path = ROOT) -> Path | None:
    """Return the installed library; ``EDGESEG_LIBEDGETPU`` names another.

    Parameters
    ----------
    root : Path
        Where ``usr`` and ``lib`` are.
    """
    if chosen := os.environ.get(VARIABLE):
        return Path(chosen)
    for place in _PLACES:
        for path in sorted(root.glob(f"{place}/{LIBRARY}")):
            return path
    return None


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


def package_version(root: Path = ROOT) -> str | None:
    """Return the version of the Debian package that brought the library."""
    packages = read_text(root / "var/lib/dpkg/status") or ""
    for block in packages.split("\n\n"):
        if re.search(r"^Package: libedgetpu1-(std|max)$", block, re.MULTILINE):
            found = re.search(r"^Version: (\S+)$", block, re.MULTILINE)
            return found[1] if found else None
    return None


def tensorflow_of(version: str | None) -> tuple[int, int] | None:
    """Return the TensorFlow that a libedgetpu was built against, None if unknown.

    Examples
    --------
    >>> tensorflow_of("16.0tf2.15.0-1.bookworm"), tensorflow_of("16.0")
    ((2, 15), (2, 5))
    """
    if version is None:
        return None
    if found := re.search(r"tf(\d+)\.(\d+)", version, re.IGNORECASE):
        return int(found[1]), int(found[2])
    return (2, 5) if re.match(r"1[0-6]\.", version) else None


def misfit(library: str | None, runtime: str, version: str) -> str | None:
    """Return why an interpreter is known to crash with a libedgetpu, else None.

    Parameters
    ----------
    library : str or None
        Version of libedgetpu's package.
    runtime, version : str
        Package name and version of the interpreter.

    Examples
    --------
    >>> misfit("16.0tf2.15.0-1", "tflite-runtime", "2.14.0") is None
    True
    >>> misfit("16.0", "tflite-runtime", "2.14.0")[:52]
    'libedgetpu 16.0 is built against TensorFlow 2.5 and '
    """
    built = tensorflow_of(library)
    # ai-edge-litert began with TensorFlow 2.16's interpreter; its own 2.x is later
    numbers = re.findall(r"\d+", version)[:2]
    own = (2, 16) if runtime == "ai-edge-litert" else tuple(map(int, numbers))
    if built is None or built >= _FIRST_MISFIT or own < _FIRST_MISFIT:
        return None
    return (
        f"libedgetpu {library} is built against TensorFlow {built[0]}.{built[1]} and "
        f"kills a process with {runtime} {version} (google-coral/edgetpu #812); "
        "install a libedgetpu built against TensorFlow 2.13 or later"
    )


def matching_runtime(root: Path = ROOT) -> Runtime:
    """Return the first installed interpreter that is not known to crash.

    Raises
    ------
    MissingDriverError
        None is installed, or none fits; the message says which library would.
    """
    library = package_version(root)
    try:
        return find_runtime(lambda name, v: misfit(library, name, v) is None)
    except MissingDriverError:
        first = find_runtime()
        raise MissingDriverError(
            misfit(library, first.name, first.version) or "no interpreter found"
        ) from None


def check_library(path: Path) -> None:
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
            f"cannot read libedgetpu {path}: {reason_of(error)}"
        ) from error
    here = platform.machine()
    if found is not None and not is_whole(path):
        raise MissingDriverError(f"{path} is cut short: install libedgetpu again")
    if found is None:
        raise MissingDriverError(f"{path} is no shared library (no ELF file)")
    if found != _SAME.get(here, here):
        raise MissingDriverError(
            f"{path} is built for {found}, this is {here}: install the libedgetpu "
            f"package of this architecture"
        )


def load_delegate(path: Path, runtime: Runtime, options: dict[str, str]) -> Untyped:
    """Return libedgetpu's delegate, loaded by the interpreter that will use it.

    Parameters
    ----------
    path : Path
        The library.
    runtime : Runtime
        The interpreter package.
    options : dict
        Of libedgetpu: ``device`` is ``"usb"``, ``"pci:0"``, ...

    Raises
    ------
    MissingDriverError
        The library cannot be loaded, or finds no Edge TPU.
    """
    check_library(path)
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
            f"{path} is no libedgetpu: {one_line(error)}"
        ) from error
    return _create(path, runtime, options)


def _create(path: Path, runtime: Runtime, options: dict[str, str]) -> Untyped:
    try:
        with quiet() as chatter:
            return runtime.module.load_delegate(str(path), options)
    except (ValueError, RuntimeError) as error:
        reason = one_line(error, 120) if str(error).strip() else chatter.tail()
        raise MissingDriverError(
            f"libedgetpu cannot open the Edge TPU ({reason}): is it used by another "
            "process, or is permission missing? edgeseg doctor tells more"
        ) from error
