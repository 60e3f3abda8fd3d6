"""Python, the C library, and which packages go together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edgeseg.devices.doctor.finding import Finding, Fix
from edgeseg.devices.inventory import INTERPRETERS
from edgeseg.devices.support import (
    NEWEST_PYTHON,
    OLDEST_GLIBC,
    OLDEST_PYTHON,
    support_row,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeseg.devices.doctor.machine import Machine

_UV = "uv venv --python 3.12"
_HEADLESS = "opencv-python-headless"


def check_wheels(machine: Machine) -> Iterator[Finding]:
    """Look at what pip can install here, and at what it has installed."""
    yield _board(machine)
    yield _image(machine)
    yield _userland(machine)
    yield _python(machine)
    yield _libc(machine)
    yield _interpreter(machine)
    yield _numpy(machine)
    yield _opencv(machine)


def _board(machine: Machine) -> Finding:
    board = machine.board
    return Finding("board", "ok", f"{board.model or 'unknown'} ({board.kind})")


def _image(machine: Machine) -> Finding:
    board = machine.board
    row = support_row(board.kind, board.system_id)
    name = board.system or "unknown system"
    if row is None or row.works == "yes":
        image = "not in the support table" if row is None else row.image
        return Finding("image", "ok", f"{name} ({image})")
    return Finding(
        "image",
        "warning",
        f"{name}: its own Python {row.python} cannot run edgeseg",
        "no interpreter has wheels for it",
        Fix(row.note),
    )


def _userland(machine: Machine) -> Finding:
    if machine.bits == 64:
        return Finding("userland", "ok", f"64 bit, {machine.architecture}")
    kernel = "64-bit" if machine.architecture in ("aarch64", "x86_64") else "32-bit"
    return Finding(
        "userland",
        "error",
        f"a 32-bit Python under a {kernel} kernel ({machine.architecture})",
        "there are no 32-bit wheels of any interpreter",
        Fix("write a 64-bit system image to the card (Raspberry Pi Imager: 64-bit)"),
    )


def _python(machine: Machine) -> Finding:
    here = ".".join(map(str, machine.python))
    span = "Python {}.{} to {}.{}".format(*OLDEST_PYTHON, *NEWEST_PYTHON)
    why = f"ai-edge-litert has wheels for {span}"
    if machine.python < OLDEST_PYTHON:
        return Finding("python", "error", f"Python {here}: too old", why, Fix(_UV))
    if machine.python > NEWEST_PYTHON:
        return Finding("python", "warning", f"Python {here}: new", why, Fix(_UV))
    return Finding("python", "ok", f"Python {here}")


def _libc(machine: Machine) -> Finding:
    name, version = machine.libc
    if name != "glibc":
        return Finding(
            "libc",
            "error",
            f"the C library is {name or 'not glibc (musl?)'}",
            "wheels of the interpreters need glibc",
            Fix("use Debian, Ubuntu or Raspberry Pi OS instead of Alpine"),
        )
    if _numbers(version) < OLDEST_GLIBC:
        return Finding(
            "libc",
            "error",
            f"glibc {version}",
            "ai-edge-litert needs glibc 2.27 or later",
            Fix("install a newer system image"),
        )
    return Finding("libc", "ok", f"glibc {version}")


def _interpreter(machine: Machine) -> Finding:
    found = [name for name in INTERPRETERS if name in machine.packages]
    if not found:
        return Finding(
            "interpreter",
            "error",
            "no TFLite interpreter is installed",
            "nothing can run a model",
            Fix("python -m pip install ai-edge-litert"),
        )
    first = found[0]
    return Finding("interpreter", "ok", f"{first} {machine.packages[first]}")


def _numpy(machine: Machine) -> Finding:
    version = machine.packages.get("numpy")
    if version is None:
        fix = Fix("python -m pip install numpy")
        why = "every part of edgeseg needs it"
        return Finding("numpy", "error", "numpy is not installed", why, fix)
    uses_old = (
        "tflite-runtime" in machine.packages
        and "ai-edge-litert" not in machine.packages
    )
    if uses_old and _numbers(version) >= (2, 0):
        return Finding(
            "numpy",
            "error",
            f"numpy {version} with tflite-runtime {machine.packages['tflite-runtime']}",
            "tflite-runtime is built against numpy 1 and fails to load with numpy 2",
            Fix("python -m pip install 'numpy<2'"),
        )
    return Finding("numpy", "ok", f"numpy {version}")


def _opencv(machine: Machine) -> Finding:
    found = [name for name in machine.packages if name.startswith("opencv")]
    if len(found) > 1:
        others = " ".join(name for name in found if name != _HEADLESS)
        return Finding(
            "opencv",
            "warning",
            f"several OpenCV packages: {', '.join(found)}",
            "they write over each other's cv2: the last one installed wins, and "
            "uninstalling one breaks the other",
            Fix(
                f"python -m pip uninstall {others} {_HEADLESS} && "
                f"python -m pip install {_HEADLESS}"
            ),
        )
    if not found:
        fix = Fix(f"python -m pip install {_HEADLESS}")
        why = "the system's, where there is one, is taken instead; loads-opencv tells"
        return Finding("opencv", "note", "no OpenCV package of pip", why, fix)
    return Finding("opencv", "ok", f"{found[0]}=={machine.packages[found[0]]}")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:2]))
