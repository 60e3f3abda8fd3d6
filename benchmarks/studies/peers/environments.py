"""A virtual environment for each set of requirements: peers disagree on numpy.

What a peer makes of the network that it starts from is made in its environment too.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import ConversionError, MissingDriverError
from edgeseg.devices.process_log import reason_in

if TYPE_CHECKING:
    from edgeseg.benchmarks.studies.peers.peers import Step


_READY = "ready.txt"
# modules of the current folder stay out; ONNX Runtime reports no usage to its maker
_VARIABLES = {"PYTHONSAFEPATH": "1", "ORT_DISABLE_TELEMETRY": "1"}
_TIMEOUT_S = 1800.0  # of pip: TensorFlow is a large wheel
_HERE = Path(__file__).parent
_STEP_TIMEOUT_S = 1200.0
_CODE = (
    "import sys; from importlib import import_module; from pathlib import Path; "
    "sys.path.append(sys.argv[1]); "
    "import_module('_workers.' + sys.argv[2]).make(*map(Path, sys.argv[3:6]))"
)


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
    _run_pip([found, "-m", "venv", str(home)])
    pip = [str(interpreter), "-m", "pip", "install", "--quiet"]
    pip += ["--disable-pip-version-check", "--only-binary=:all:"]
    _run_pip([*pip, *requirements])
    (home / _READY).write_text("\n".join(requirements) + "\n", "utf-8")
    return interpreter


def run_step(step: Step, source: Path, calibration: Path, cache: Path) -> Path:
    """Return what a step makes of a model, made unless the cache has it.

    Parameters
    ----------
    step : Step
        What to do.
    source : Path
        The model it starts from.
    calibration : Path
        A ``.npy`` of pictures; see `make_calibration`.
    cache : Path
        Gets the result, kept by its inputs' content.

    Raises
    ------
    MissingDriverError
        The environment cannot be made.
    ConversionError
        The step failed; the message ends with the last line it printed.
    """
    target = cache / "steps" / f"{step.worker}-{_digest(step, source)}" / step.file
    if target.exists():
        return target
    python = make_environment(cache, step.requirements, step.python)
    print(f"making {step.file} with {step.worker}", file=sys.stderr)
    target.parent.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache / "steps") as folder:
        made = Path(folder) / "made"
        made.mkdir()
        files = [str(source), str(made / step.file), str(calibration)]
        _run_step([str(python), "-c", _CODE, str(_HERE), step.worker, *files], folder)
        os.rename(made, target.parent)
    return target


def _digest(step: Step, source: Path) -> str:
    digest = hashlib.sha256(source.read_bytes())
    digest.update((_HERE / "_workers" / f"{step.worker}.py").read_bytes())
    digest.update("\n".join(step.requirements).encode())
    return digest.hexdigest()[:12]


def _run_step(command: list[str], folder: str) -> None:
    name = command[4]
    try:
        reason = _failure(command, _STEP_TIMEOUT_S, cwd=folder, env=variables())
    except subprocess.TimeoutExpired as error:
        raise ConversionError(
            f"{name} passed its time limit of {_STEP_TIMEOUT_S:g} s"
        ) from error
    if reason is not None:
        code, words = reason
        raise ConversionError(
            f"{name} failed (status {code}): {words or 'nothing printed'}"
        )


def _run_pip(command: list[str]) -> None:
    try:
        reason = _failure(command, _TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise MissingDriverError(
            f"an environment took over {_TIMEOUT_S:g} s to make: {command[-1]}"
        ) from error
    if reason is not None:
        code, words = reason
        raise MissingDriverError(
            f"pip cannot make the environment: {words or f'exit status {code}'}"
        )


def _failure(
    command: list[str],
    limit_s: float,
    *,
    cwd: str | None = None,
    env: dict[str, str] | None = None,
) -> tuple[int, str] | None:
    """Return the exit status and the last words of a program, None where it is well."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        code = subprocess.run(
            command,
            stdout=log,
            stderr=log,
            cwd=cwd,
            env=env,
            check=False,
            timeout=limit_s,
        ).returncode
        if not code:
            return None
        log.seek(0)
        return code, reason_in(log.read()) or ""
