"""A model that a chip's compiler has made, and what it said."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.converter.compilation.contract import Answer
    from edgeseg.devices.types import Json


@dataclass(frozen=True)
class Compilation:
    """The result of a compilation.

    Parameters
    ----------
    path : Path
        The file written.
    sha256 : str
        Of the file.
    device : str
        What it is for.
    title : str
        Of the compiler.
    answer : Answer
        Of the compiler.
    manifest : bool
        Whether a manifest was carried over.
    """

    path: Path
    sha256: str
    device: str
    title: str
    answer: Answer
    manifest: bool

    def to_dict(self) -> Json:
        """Return JSON values."""
        estimate, memory = self.answer.estimate, self.answer.memory
        return {
            "path": str(self.path),
            "sha256": self.sha256,
            "device": self.device,
            "compiler": self.answer.version,
            "mapped": self.answer.mapped,
            "operators": self.answer.total,
            "manifest": self.manifest,
            "rows": [dataclasses.asdict(row) for row in self.answer.rows],
            "placement": [dataclasses.asdict(op) for op in self.answer.operators],
            "estimate": dataclasses.asdict(estimate) if estimate else None,
            "memory": dataclasses.asdict(memory) if memory else None,
            "agreement": self.answer.agreement,
        }
