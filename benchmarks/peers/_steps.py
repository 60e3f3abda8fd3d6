"""A peer's own model, made in its environment from the network it starts from."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.benchmarks.peers._environments import make_environment, variables
from edgeseg.devices import ConversionError
from edgeseg.devices._wording import reason_in

if TYPE_CHECKING:
    from edgeseg.benchmarks.peers._peer import Step

HERE = Path(__file__).parent
_TIMEOUT_S = 1200.0
_CODE = (
    "import sys; from importlib import import_module; from pathlib import Path; "
    "sys.path.append(sys.argv[1]); "
    "import_module('_workers.' + sys.argv[2]).make(*map(Path, sys.argv[3:6]))"
)


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
        _run([str(python), "-c", _CODE, str(HERE), step.worker, *files], folder)
        os.rename(made, target.parent)
    return target


def _digest(step: Step, source: Path) -> str:
    digest = hashlib.sha256(source.read_bytes())
    digest.update((HERE / "_workers" / f"{step.worker}.py").read_bytes())
    digest.update("\n".join(step.requirements).encode())
    return digest.hexdigest()[:12]


def _run(command: list[str], folder: str) -> None:
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        try:
            code = subprocess.run(
                command,
                stdout=log,
                stderr=log,
                cwd=folder,
                env=variables(),
                check=False,
                timeout=_TIMEOUT_S,
            ).returncode
        except subprocess.TimeoutExpired as error:
            raise ConversionError(
                f"{command[4]} passed its time limit of {_TIMEOUT_S:g} s"
            ) from error
        if code:
            log.seek(0)
            told = reason_in(log.read()) or "nothing printed"
            raise ConversionError(f"{command[4]} failed (status {code}): {told}")
