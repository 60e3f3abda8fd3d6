"""Whether numpy, OpenCV and the interpreter really load and run: tried in a child."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

from edgeseg.devices.doctor.finding import Finding, Fix
from edgeseg.devices.plain_text import reason_of
from edgeseg.devices.process_log import reason_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeseg.devices.doctor.machine import Machine

_PROBE = "edgeseg.devices.doctor.probe"
_TIMEOUT_S = 60.0
_FIXES = {
    "numpy": "python -m pip install --force-reinstall numpy",
    "opencv": "python -m pip install --force-reinstall opencv-python-headless",
    "interpreter": "python -m pip install --force-reinstall ai-edge-litert",
}
_WHYS = {
    "numpy": "every part of edgeseg needs it",
    "opencv": "pictures cannot be resized or written",
    "interpreter": "no model can run",
}


def check_loads(machine: Machine) -> Iterator[Finding]:
    """Import and run in a child process: a crash there is a finding, not the end."""
    steps, ending = _run(machine)
    for name in _FIXES:
        state, text = steps.get(name, ("", ""))
        if state == "passed":
            yield _passed(name, text)
        elif state:
            yield _failed(name, text if state == "failed" else ending)


def _run(machine: Machine) -> tuple[dict[str, tuple[str, str]], str]:
    """Return what each step came to, and how the child ended."""
    try:
        done = subprocess.run(
            [machine.interpreter, "-m", _PROBE],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return {"interpreter": ("begin", "")}, f"no answer within {_TIMEOUT_S:.0f} s"
    except OSError as error:
        return {"interpreter": ("begin", "")}, f"cannot start: {reason_of(error)}"
    steps: dict[str, tuple[str, str]] = {}
    for line in done.stdout.splitlines():
        state, _, rest = line.partition(" ")
        name, _, text = rest.partition(" ")
        if state in ("begin", "passed", "failed") and name in _FIXES:
            steps[name] = (state, text)
    if not steps:
        steps["numpy"] = ("begin", "")
    return steps, _ending(done)


def _ending(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode < 0:
        number = -done.returncode
        named = number in {int(s) for s in signal.Signals}
        name = signal.Signals(number).name if named else str(number)
        return f"the process was killed by {name}"
    return reason_in(done.stderr) or f"the process ended with {done.returncode}"


def _passed(name: str, text: str) -> Finding:
    if name == "interpreter" and text.endswith("plain"):
        return Finding(
            "loads-interpreter",
            "warning",
            f"{text.removesuffix(' plain')} runs a model, without XNNPACK",
            "inference is several times slower",
            Fix("python -m pip install -U ai-edge-litert"),
        )
    text = text.removesuffix(" xnnpack") + (
        " runs a model through XNNPACK" if name == "interpreter" else " loads"
    )
    prefix = "" if name == "interpreter" else f"{name} "
    return Finding(f"loads-{name}", "ok", f"{prefix}{text}")


def _failed(name: str, text: str) -> Finding:
    command = _FIXES[name]
    if name == "opencv" and "libGL" in text:
        command = (
            "python -m pip uninstall opencv-python && "
            "python -m pip install --force-reinstall opencv-python-headless"
        )
    return Finding(
        f"loads-{name}",
        "error",
        f"{name} does not load: {text}",
        _WHYS[name],
        Fix(command),
    )
