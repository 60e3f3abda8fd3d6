"""How long a picture takes: load, first run, then one query at a time.

A query is what `Segmenter.segment` does: from a decoded picture to class ids at the
picture's own size. Its length is judged by MLPerf's rules for the scenario
SingleStream (`single_stream`), its 90th percentile is the headline; what surrounds it
is timed apart.
"""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

from edgeseg.benchmarks.latency.bench_run import BenchRun, timed
from edgeseg.benchmarks.latency.machine import (
    describe_board,
    emulation,
    read_conditions,
)
from edgeseg.benchmarks.latency.setup import hold_frames
from edgeseg.devices.litert import find_runtime
from edgeseg.runtime.model.embedded import sha256, stored_manifest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edgeseg.benchmarks.latency.setup import Setup
    from edgeseg.devices.types import Json

KIND = "bench"
PROTOCOL = (
    "MLPerf SingleStream: one query at a time, from a decoded picture to class ids at "
    "its own size; warm-up, load and first run apart"
)


def bench(setup: Setup, *, progress: Callable[[str], None] = lambda line: None) -> Json:
    """Return the record of a measurement as JSON values.

    Parameters
    ----------
    setup : Setup
        What to measure.
    progress : callable
        Takes a line about twice a second.

    Raises
    ------
    InputError, ModelError
        The pictures or the model cannot be used, or the last answer about a picture
        was not the first one.
    """
    load = (read_conditions()["load_average"] or [None])[0]
    combinations = list(setup.combinations())
    frames = hold_frames(setup.source)
    imports_ms = timed(_import_all)[0]
    runs = [
        BenchRun(setup, device, threads, frames, load).measure(progress)
        for device, threads in combinations
    ]
    return {
        "kind": KIND,
        "model": setup.model.name,
        "model_sha256": sha256(setup.model),
        "model_bytes": setup.model.stat().st_size,
        "recipe": _recipe(setup.model),
        "protocol": PROTOCOL,
        "rules": setup.rules.to_dict(),
        "pictures": {
            "source": setup.source.rstrip("/").rpartition("/")[2],
            "count": len(frames),
            "sizes": sorted({f"{f.shape[1]}x{f.shape[0]}" for f in frames}),
        },
        "board": describe_board(),
        "emulated": emulation(),
        "load_average_before": load,
        "import_ms": round(imports_ms, 1),
        "process_peak_bytes": max(r["memory"]["process_peak_bytes"] for r in runs),
        "runs": runs,
        "versions": _versions(),
    }


def _recipe(model: Path) -> str | None:
    """Return how the converter quantized the file, where its manifest says so."""
    manifest = stored_manifest(model)
    recipe = manifest.provenance.get("recipe") if manifest else None
    return None if recipe is None else str(recipe)


def _import_all() -> None:
    """Import what the first query would, so that it is timed without it."""
    import cv2  # noqa: F401

    find_runtime()


def _versions() -> dict[str, str]:
    import cv2

    runtime = find_runtime()
    names = ("edgeseg", "numpy", "pillow")
    found = {name: metadata.version(name) for name in names}
    return {**found, "opencv": cv2.__version__, runtime.name: runtime.version}
