"""What the board is, and which Pythons it has."""

import glob
import json
import os
import platform
import shutil
import subprocess
import sys
from typing import Any

from edgeseg.runtime.remote.board.store import BoardError, root_folder

# run by each Python that is found; the marker values are what pip wants to know
_PROBE = """
import json, os, platform, struct, sys
try:
    import venv, ensurepip
    has_venv = True
except ImportError:
    has_venv = False
implementation = sys.implementation
print(json.dumps({
    "path": sys.executable, "bits": struct.calcsize("P") * 8, "venv": has_venv,
    "version": list(sys.version_info[:3]),
    "markers": {
        "os_name": os.name, "sys_platform": sys.platform,
        "platform_machine": platform.machine(),
        "platform_system": platform.system(),
        "platform_release": platform.release(),
        "platform_version": platform.version(),
        "platform_python_implementation": platform.python_implementation(),
        "python_version": "%d.%d" % sys.version_info[:2],
        "python_full_version": platform.python_version(),
        "implementation_name": implementation.name,
        "implementation_version": "%d.%d.%d" % implementation.version[:3],
    },
}))
"""


def facts() -> "dict[str, Any]":
    """Return machine, C library and places."""
    return {
        "machine": platform.machine(),
        "glibc": _glibc(),
        "home": os.path.expanduser("~"),
        "root": root_folder(),
        "python": list(sys.version_info[:3]),
    }


def _glibc() -> "str | None":
    """Return the version of the GNU C library, None with another one."""
    try:
        record = os.confstr("CS_GNU_LIBC_VERSION")
    except (OSError, ValueError):
        record = None
    return record.split()[-1] if record else None


def choose_python(
    wanted: "str | None", oldest: "list[int]", newest: "list[int]"
) -> "dict[str, Any]":
    """Return what is to be known of the Python to take.

    Parameters
    ----------
    wanted : str or None
        A path or name; None takes ``python3`` where its version is right, else the
        newest of those in the usual places that is.
    oldest, newest : [major, minor]
        The versions that are right.
    """
    names = [wanted] if wanted else _candidates(newest)
    found = [
        record for record in (_probe(name) for name in names) if record is not None
    ]
    right = [t for t in found if oldest <= t["version"][:2] <= newest]
    if right:
        return right[0]
    if wanted and not found:
        raise BoardError("there is no Python at " + wanted)
    what = "; ".join(f"{t['path']} is {_text(t['version'])}" for t in found)
    raise BoardError(
        f"expected Python {_text(oldest)} to {_text(newest)}, but "
        f"{what or 'there is none'}: install one, for example "
        "`uv python install 3.12`, or name another with --python"
    )


def _candidates(newest: "list[int]") -> "list[str]":
    names = ["python3"]
    home = os.path.expanduser("~")
    for minor in range(newest[1], 9, -1):
        name = f"python3.{minor}"
        names += [name, os.path.join(home, ".local/bin", name)]
        names += glob.glob(
            f"{home}/.local/share/uv/python/cpython-3.{minor}.*/bin/{name}"
        )
    return names


def _text(version: "list[int]") -> str:
    return ".".join(map(str, version))


def _probe(name: str) -> "dict[str, Any] | None":
    path = shutil.which(os.path.expanduser(name))
    if path is None:
        return None
    done = subprocess.run(
        [path, "-I", "-c", _PROBE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    if done.returncode != 0:
        return None
    record: dict[str, Any] = json.loads(done.stdout.decode())
    return record
