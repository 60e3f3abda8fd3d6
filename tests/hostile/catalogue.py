"""All kinds by name: the files of ``kinds``."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

from hostile.case import Kind


def kinds() -> dict[str, Kind]:
    """Return the kinds that can be run here, by name."""
    folder = Path(__file__).with_name("kinds")
    names = sorted(path.stem for path in folder.glob("*.py"))
    found = {n: importlib.import_module(f"hostile.kinds.{n}").KIND for n in names}
    return {
        name: kind
        for name, kind in found.items()
        if all(importlib.util.find_spec(module) for module in kind.needs)
    }


def shares(count: int, chosen: dict[str, Kind]) -> dict[str, int]:
    """Return how many inputs of each kind make `count`, at least one of each."""
    total = sum(kind.share for kind in chosen.values())
    return {
        name: max(1, round(count * kind.share / total)) for name, kind in chosen.items()
    }
