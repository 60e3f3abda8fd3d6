"""libedgetpu: whether it fits the interpreter.

The library holds a copy of TensorFlow Lite's internal structures. An interpreter of
another generation kills the process instead of raising: google-coral/edgetpu #812
(Google's 16.0, built against TensorFlow 2.5, from tflite-runtime 2.12 on), #731, #666.
So what is known not to fit is refused before anything is loaded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edgeseg.devices.delegate import DelegateLibrary
from edgeseg.devices.errors import MissingDriverError
from edgeseg.devices.linux_files import ROOT, read_text
from edgeseg.devices.litert import Runtime, find_runtime

if TYPE_CHECKING:
    from pathlib import Path

LIBRARY = "libedgetpu.so.1"
LIBEDGETPU = DelegateLibrary(
    "libedgetpu",
    (LIBRARY,),
    "EDGESEG_LIBEDGETPU",
    "the Edge TPU",
    f"{LIBRARY} is not installed: sudo apt install libedgetpu1-std",
)
# the first interpreter that crashes with Google's own build (edgetpu #812)
_FIRST_MISFIT = (2, 12)


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
