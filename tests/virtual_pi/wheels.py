"""The aarch64 wheels that a board would install, unpacked in a folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
import zipfile
from pathlib import Path

from emulated.unavailable import UnavailableError, execute
from virtual_pi.userland import PYTHON

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CHECKOUT = Path(__file__).resolve().parents[2]
INTERPRETERS = ("litert", "tflite-runtime")
_GLIBC = 36  # Debian 12's is 2.36; a wheel for an older one does too
_OLDEST = 17
_DAY_S = 24 * 3600
# what the runtime's tests import beside the board's install
_TESTING = ("pytest", "hypothesis", "jsonschema", "prometheus-client")
_EXTRAS = ("web", "video", "mqtt")


def requirements(interpreter: str) -> list[str]:
    """Return what the board's install needs, with one interpreter or the other.

    Parameters
    ----------
    interpreter : str
        ``"litert"``, as the wheel asks for; or ``"tflite-runtime"``, the predecessor,
        which needs numpy 1.
    """
    wanted: list[str] = _project()["dependencies"]
    if interpreter == "litert":
        return wanted
    kept = [line for line in wanted if not line.startswith(("ai-edge-litert", "numpy"))]
    return ["tflite-runtime==2.14.0", "numpy>=1.26,<2", *kept]


def test_requirements(interpreter: str) -> list[str]:
    """Return what the runtime's tests need beside it."""
    extras = _project()["optional-dependencies"]
    tools = [line for line in extras["dev"] if line.startswith(_TESTING)]
    more = [line for extra in _EXTRAS for line in extras[extra]]
    numpy = [line for line in requirements(interpreter) if line.startswith("numpy")]
    return [*tools, *more, *numpy, "pip"]


def convert_requirements(interpreter: str) -> list[str]:
    """Return the board's install with the extra ``convert``, which boards do without.

    TensorFlow asks for a numpy of its own: all of it is looked for at once.
    """
    return [
        *requirements(interpreter),
        *_project()["optional-dependencies"]["convert"],
    ]


def unpack_wheels(cache: Path, wanted: list[str]) -> Path:
    """Return a folder with packages as pip would install them on a board.

    Parameters
    ----------
    cache : Path
        The folder is made in it, under a name that tells what was wanted; what is
        there already is kept.
    wanted : list of str
        Requirements.

    Raises
    ------
    UnavailableError
        They cannot be had.
    """
    key = hashlib.sha256("\n".join(wanted).encode()).hexdigest()[:8]
    folder = cache / f"packages-{key}"
    if folder.is_dir():
        return folder
    work = cache / f"packages-{key}.part"
    shutil.rmtree(work, ignore_errors=True)
    execute(_download(work / "wheels", wanted))
    _unpack(sorted((work / "wheels").glob("*.whl")), work / "packages", folder)
    shutil.rmtree(work)
    return folder


def unpack_edgeseg(cache: Path, wheel: Path | None = None) -> Path:
    """Return a folder with edgeseg out of a wheel; where none is given, build one."""
    cache.mkdir(parents=True, exist_ok=True)
    work = cache / "edgeseg.part"
    shutil.rmtree(work, ignore_errors=True)
    if wheel is None:
        execute(
            [sys.executable, "-m", "build", "--wheel", "--outdir", str(work), "."],
            cwd=CHECKOUT,
        )
        wheel = next(work.glob("*.whl"))
    folder = cache / f"edgeseg-{hashlib.sha256(wheel.read_bytes()).hexdigest()[:8]}"
    if not folder.is_dir():
        _unpack([wheel], work / "packages", folder)
    os.utime(folder)
    shutil.rmtree(work, ignore_errors=True)
    _drop_old(cache)
    return folder


def _unpack(wheels: list[Path], work: Path, folder: Path) -> None:
    """Make a folder of what wheels hold: whole, or not there."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(work)
    work.rename(folder)


def _drop_old(cache: Path) -> None:
    """Remove builds that nothing has used for a day: each change makes a new one."""
    for folder in cache.glob("edgeseg-*"):
        if time.time() - folder.stat().st_mtime > _DAY_S:
            shutil.rmtree(folder)


def _download(folder: Path, wanted: list[str]) -> list[str]:
    platforms = [f"manylinux_2_{n}_aarch64" for n in range(_OLDEST, _GLIBC + 1)]
    chosen = [f"--platform={name}" for name in (*platforms, "manylinux2014_aarch64")]
    return [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:"),
        *(f"--python-version={PYTHON}", "--implementation=cp", *chosen),
        *(f"--dest={folder}", *wanted),
    ]


def _project() -> dict[str, object]:
    try:
        return tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    except OSError as error:
        raise UnavailableError(f"no pyproject.toml in {CHECKOUT}") from error
