"""The memory report of Sony's converter.

It is ``NAME_MemoryReport.json``::

{"Memory Report": {"Runtime Memory Physical Size": "5.21MB",
                   "Model Memory Physical Size": "2.19MB",
                   "Memory Usage": "7.40MB",
                   "Total Memory Available On Chip": "8.00MB",
                   "Fit In Chip": true, ...}}
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from edgeseg.converter.compilation.contract import Memory
from edgeseg.devices import ConversionError
from edgeseg.devices.plain_text import one_line

if TYPE_CHECKING:
    from pathlib import Path

_SIZE = re.compile(r"^(\d+(?:\.\d+)?) ?([KMG]?)B$")
_KIB = {"": 1 / 1024, "K": 1.0, "M": 1024.0, "G": 1024.0 * 1024.0}


def read_memory(folder: Path) -> Memory | None:
    """Return what the report in a folder says, None where there is none.

    Raises
    ------
    ConversionError
        It is of another form.
    """
    found = sorted(folder.glob("*_MemoryReport.json"))
    if not found:
        return None
    try:
        report = json.loads(found[0].read_text("utf-8"))["Memory Report"]
        return Memory(
            weights_kib=_kib(report["Model Memory Physical Size"]),
            activations_kib=_kib(report["Runtime Memory Physical Size"]),
            used_kib=_kib(report["Memory Usage"]),
            available_kib=_kib(report["Total Memory Available On Chip"]),
            fits=_flag(report["Fit In Chip"]),
        )
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise ConversionError(
            f"its memory report is of a form that is not known here ({one_line(error)})"
        ) from error


def _kib(text: str) -> float:
    found = _SIZE.match(text)
    if found is None:
        raise ValueError(f"no size: {text!r}")
    return float(found[1]) * _KIB[found[2]]


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"neither true nor false: {value!r}")
    return value
