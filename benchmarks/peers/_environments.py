"""A virtual environment for each set of requirements: peers disagree on numpy."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from edgeseg.devices import MissingDriverError
from edgeseg.devices._wording import reason_in

_READY = "ready.txt"
# modules of the current folder stay out; ONNX Runtime reports no usage to its maker
_VARIABLES = {"PYTHONSAFEPATH": "1", "ORT_DISABLE_TELEMETRY": "1"}
_TIMEOUT_S = 1800.0  # of pip: TensorFlow is a large wheel


def variables() -> dict[str, str]:
    """Return the variables that a peer's process sees."""
    return {**os.environ, **_VARIABLES}


def interpreter_of(folder: Path, requirements: tuple[str, ...], python: str) -> Path:
    """Return where an environment's interpreter is, there or not.

    Parameters
    ----------
    folder : Path
        The cache.
    requirements : tuple of str
        Pinned pip requirements.
    python : str
        Interpreter that the environment is made with.
    """
    text = "\n".join([python, *sorted(requirements)])
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return folder / "environments" / digest / "bin" / "python"


def is_ready(interpreter: Path) -> bool:
    """Tell whether an environment was made to its end."""
    return (interpreter.parent.parent / _READY).is_file()


def make_environment(folder: Path, requirements: tuple[str, ...], python: str) -> Path:
    """Make an environment from binary wheels alone, unless it is there.

    Parameters are those of `interpreter_of`.

    Returns
    -------
    Path
        Its interpreter.

    Raises
    ------
    MissingDriverError
        The interpreter or a wheel is not to be had.
    """
    interpreter = interpreter_of(folder, requirements, python)
    if is_ready(interpreter):
        return interpreter
    found = shutil.which(python)
    if found is None:
        raise MissingDriverError(f"{python} is not installed: no environment for it")
    home = interpreter.parent.parent
    shutil.rmtree(home, ignore_errors=True)
    _run([found, "-m", "venv", str(home)])
    pip = [str(interpreter), "-m", "pip", "install", "--quiet"]
    pip += ["--disable-pip-version-check", "--only-binary=:all:"]
    _run([*pip, *requirements])
    (home / _READY).write_text("\n".join(requirements) + "\n", "utf-8")
    return interpreter


def _run(command: list[str]) -> None:
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        try:
            done = subprocess.run(
                command, stdout=log, stderr=log, check=False, timeout=_TIMEOUT_S
            )
        except subprocess.TimeoutExpired as error:
            raise MissingDriverError(
                f"an environment took over {_TIMEOUT_S:g} s to make: {command[-1]}"
            ) from error
        if done.returncode:
            log.seek(0)
            reason = reason_in(log.read()) or f"exit status {done.returncode}"
            raise MissingDriverError(f"pip cannot make the environment: {reason}")
