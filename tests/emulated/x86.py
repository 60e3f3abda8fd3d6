"""Another x86-64 processor: the running environment on an emulated one.

qemu computes reciprocal square roots exactly, as AMD's processors nearly do; Intel's
give 1 - 2**-23 for 1. It has no AVX-512, so that libraries take other code than on a
recent server. Nothing is fetched: interpreter and packages are those that run this.
"""

from __future__ import annotations

import platform
import shutil
import site
import sys
from pathlib import Path

from emulated.environment import lay_environment, write_launcher
from emulated.unavailable import UnavailableError

EMULATOR = "qemu-x86_64-static"
# What qemu can emulate: up to AVX2. SandyBridge is the least that TensorFlow's wheels
# need: AVX, no FMA
CPUS = ("max", "SandyBridge")


def make_python(folder: Path, cpu: str = CPUS[0]) -> Path:
    """Return an interpreter that is emulated, with the packages of the running one.

    Parameters
    ----------
    folder : Path
        To make, or to make again.
    cpu : str
        qemu's name of the processor.

    Raises
    ------
    UnavailableError
        Says what this machine lacks.
    """
    emulator = shutil.which(EMULATOR)
    if platform.machine() != "x86_64":
        raise UnavailableError(f"needs an x86-64 machine, this is {platform.machine()}")
    if emulator is None:
        raise UnavailableError(f"no {EMULATOR}: apt-get install qemu-user-static")
    program = Path(sys.executable).resolve()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    packages = [Path(path) for path in site.getsitepackages()]
    lay_environment(folder, program.parent, version, packages)
    python = folder / "bin" / "python3"
    write_launcher(python, [emulator, "-cpu", cpu], program)
    return python
