"""The shipped model converted on several processors, and what differs."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulated.conversion import FLOAT, RESULT, SHIPPED
from emulated.difference import difference
from emulated.environment import run

from edgeseg.converter.quantization.origin import processor
from edgeseg.runtime.model.embedded import sha256
from edgeseg.runtime.shipped import model_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_TESTS = Path(__file__).resolve().parents[1]


def measure(
    pythons: Mapping[str, Path],
    folder: Path,
    first: str,
    tell: Callable[[str], None],
) -> dict[str, Any]:
    """Return a record of conversions and of how they differ from one of them.

    Parameters
    ----------
    pythons : mapping of str to Path
        Interpreters by name.
    folder : Path
        Gets a folder of models for each.
    first : str
        The one that others are held against.
    tell : callable
        Called with a line on what has been found.
    """
    made: dict[str, Any] = {}
    for name, python in pythons.items():
        made[name] = convert_with(python, folder / name)
        tell(f"{name}: float {made[name]['float']}, int8 {made[name]['int8']}")
    shipped = model_file(SHIPPED)
    return {
        "conditions": {
            "date": f"{datetime.now(timezone.utc):%Y-%m-%d}",
            "here": processor(),
            "emulators": _emulator_versions(made.values()),
            "left out": "comparing labels, which changes nothing in the files",
        },
        "shipped": sha256(shipped),
        "converted": made,
        "against": first,
        "differences": {
            name: {
                kind: difference(*(_content(folder, n, file) for n in (first, name)))
                for kind, file in (("float", FLOAT), ("int8", RESULT))
            }
            for name in made
            if name != first
        },
        "int8_against_shipped": {
            name: difference(shipped.read_bytes(), _content(folder, name, RESULT))
            for name in made
        },
    }


def convert_with(python: Path, folder: Path) -> dict[str, Any]:
    """Convert the shipped model with an interpreter; see `emulated.conversion`.

    Returns
    -------
    dict
        ``machine``, ``emulator`` and ``versions`` there, and the SHA-256 of what came
        out: ``float`` and ``int8``.

    Raises
    ------
    RuntimeError
        It failed.
    """
    done = run(
        [python, "-m", "emulated.conversion", folder],
        timeout=3600,
        PYTHONPATH=str(_TESTS),
        PYTHONSAFEPATH="1",
    )
    if done.returncode:
        raise RuntimeError(f"{python}: {done.stderr.strip()[-1000:]}")
    told = json.loads(done.stdout)
    return {
        **{key: told[key] for key in ("machine", "emulator", "versions")},
        "float": sha256(folder / FLOAT),
        "int8": sha256(folder / RESULT),
    }


def _emulator_versions(made: Iterable[dict[str, Any]]) -> list[str]:
    names = sorted({entry["emulator"] for entry in made if entry["emulator"]})
    return [run([name, "--version"]).stdout.splitlines()[0] for name in names]


def _content(folder: Path, name: str, file: str) -> bytes:
    return (folder / name / file).read_bytes()
