"""What the Edge TPU Compiler says of each operator.

Its log lists ``Operator  Count  Status``, one row for each name and status::

    Edge TPU Compiler version 16.0.384591198

    Number of Edge TPU subgraphs: 1
    Total number of operations: 72

    Operator                       Count      Status

    CONV_2D                        36         Mapped to Edge TPU
    ARG_MAX                        1          Operation not supported

Older ones print the table without the numbers above it, newer ones wrap it in lines on
their own progress; only rows of that form are read.

References
----------
"Edge TPU Compiler", https://coral.ai/docs/edgetpu/compiler/
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MAPPED = "Mapped to Edge TPU"
_VERSION = re.compile(r"Edge TPU Compiler version (\S+)")
_ROW = re.compile(r"^([A-Za-z][\w-]*)[ \t]+(\d+)[ \t]+(\S.*?)[ \t]*$", re.MULTILINE)
_FAILURES = (
    re.compile(r"^(Compilation failed:.*)$", re.MULTILINE),
    re.compile(r"^ERROR: (?!Restored original execution plan)(.*)$", re.MULTILINE),
    re.compile(r"^(Internal compiler error.*)$", re.MULTILINE),
    re.compile(r"^(Invalid model.*)$", re.MULTILINE),
    re.compile(r"^(Compilation failed!)", re.MULTILINE),
)
# What the compiler means, and what helps
_MEANINGS = (
    (
        "large activation tensors",
        "take smaller pictures (edgeseg convert --size) or the head logits-stride",
    ),
    (
        "Didn't find op for builtin opcode",
        "the compiler is older than the operator: its last version is of 2021",
    ),
    (
        "not quantized",
        "convert with --recipe int8 first",
    ),
)


@dataclass(frozen=True)
class Row:
    """How many operators of one kind met one fate.

    Parameters
    ----------
    op : str
        Name in the TensorFlow Lite schema.
    count : int
        How many.
    status : str
        In the compiler's words.
    """

    op: str
    count: int
    status: str

    @property
    def mapped(self) -> bool:
        """Whether the Edge TPU runs them."""
        return self.status.startswith(_MAPPED)


@dataclass(frozen=True)
class CompilerLog:
    """What a run of the compiler printed.

    Parameters
    ----------
    version : str
        Of the compiler; empty where it did not say.
    rows : tuple of Row
        Its table.
    failure : str
        Why nothing was made, and what helps; empty where it did not say.
    """

    version: str
    rows: tuple[Row, ...]
    failure: str = ""

    @property
    def mapped(self) -> int:
        """How many operators the Edge TPU runs."""
        return sum(row.count for row in self.rows if row.mapped)

    @property
    def operators(self) -> int:
        """How many operators there are."""
        return sum(row.count for row in self.rows)


def parse_log(text: str) -> CompilerLog:
    """Return what a compiler's output says.

    Parameters
    ----------
    text : str
        What it printed, or its log file.

    Examples
    --------
    >>> log = parse_log("CONV_2D   3   Mapped to Edge TPU")
    >>> log.mapped, log.operators
    (3, 3)
    """
    version = _VERSION.search(text)
    return CompilerLog(
        version="" if version is None else version[1],
        rows=tuple(Row(m[1], int(m[2]), m[3]) for m in _ROW.finditer(text)),
        failure=_failure(text),
    )


def _failure(text: str) -> str:
    found = next((m for m in (p.search(text) for p in _FAILURES) if m), None)
    if found is None:
        return ""
    what = found[1].strip()
    helps = next((hint for words, hint in _MEANINGS if words in what), "")
    return f"{what.rstrip('.')}; {helps}" if helps else what
