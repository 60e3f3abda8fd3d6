"""The shipped model converted from its saved ranges, on whatever processor runs this.

``python -m emulated.conversion FOLDER`` leaves in FOLDER ``result.tflite`` and
``float.tflite``, the float network that it was made of, and prints JSON. It is the way
of ``edgeseg convert`` with its child process, but for what takes many minutes on an
emulator and changes nothing in the file: comparing labels on 16 views.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from edgeseg.converter.conversion.request import RESULTS, Request
from edgeseg.converter.isolation.child import run_isolated
from edgeseg.converter.shipped import keras_file, labels_file, ranges_file
from edgeseg.runtime import Overrides

if TYPE_CHECKING:
    from collections.abc import Callable

SHIPPED = "voc"  # what the demo converts
FLOAT, RESULT = "float.tflite", RESULTS["tflite"]
_PACKAGES = ("edgeseg", "tensorflow", "keras", "ai-edge-quantizer", "numpy")
_TIMEOUT_S = 3600
_MEMORY_BYTES = 12 * 10**9


def shipped_request(name: str = SHIPPED) -> Request:
    """Return what ``edgeseg demo`` converts, or another model that ships, and how."""
    return Request(
        keras_file(name),
        calibration=ranges_file(name),
        head="logits-stride",
        overrides=Overrides(labels=str(labels_file(name))),
    )


def convert(folder: Path) -> dict[str, Any]:
    """Convert in a child process, as `edgeseg.converter.convert` does.

    Parameters
    ----------
    folder : Path
        Is there; gets the models.

    Returns
    -------
    dict
        What `convert_uncompared` returns.
    """
    return run_isolated(
        "emulated.conversion:convert_uncompared",
        {"request": shipped_request().to_dict(), "folder": str(folder)},
        progress=lambda line: print(line, file=sys.stderr, flush=True),
        timeout_s=_TIMEOUT_S,
        memory_bytes=_MEMORY_BYTES,
        folder=folder,
    )


def convert_uncompared(
    given: dict[str, Any], tell: Callable[[str], None]
) -> dict[str, Any]:
    """Do what `edgeseg.converter.conversion.tflite.run_job` does, and compare nothing.

    Returns
    -------
    dict
        ``machine`` and ``emulator`` of the process that converts, and ``versions``.
    """
    from edgeseg.converter.conversion import (
        float_model,
    )
    from edgeseg.converter.conversion import (
        result as outcome,
    )
    from edgeseg.converter.conversion import (
        tflite as job,
    )
    from edgeseg.converter.conversion.parity import Parity
    from edgeseg.converter.conversion.pictures import ConversionPictures

    def equal(*models: Any) -> Parity:
        return Parity(0, agreement=1.0, largest_difference=0.0, score_range=1.0)

    def keep(*arguments: Any) -> Any:
        model = float_model.make_float_model(*arguments)
        Path(given["folder"], FLOAT).write_bytes(model.content)
        return model

    with (
        mock.patch.object(ConversionPictures, "compared", return_value=[]),
        mock.patch.object(float_model, "compare", equal),
        mock.patch.object(outcome, "compare", equal),
        mock.patch.object(job, "make_float_model", keep),
    ):
        job.run_job(given, tell)
    return {
        "machine": platform.machine(),
        "emulator": _emulator(),
        "versions": {name: metadata.version(name) for name in _PACKAGES},
    }


def _emulator() -> str | None:
    """Return the program that emulates this process, None where none does.

    An emulator hides itself from the process: another one has to look.
    """
    link = ["readlink", f"/proc/{os.getpid()}/exe"]
    program = subprocess.run(link, capture_output=True, text=True, check=True).stdout
    name = Path(program.strip()).name
    return name if name.startswith("qemu-") else None


if __name__ == "__main__":
    folder = Path(sys.argv[1]).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    print(json.dumps(convert(folder)))
