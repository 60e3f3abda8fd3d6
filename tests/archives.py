"""Archives held against ``edgeseg run``; for tests."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np

SIZE_HW = 48, 64


def drawn(seed, hw=SIZE_HW):
    rng = np.random.default_rng(seed)
    frame = np.full((*hw, 3), rng.integers(0, 256, 3), np.uint8)
    top, left = rng.integers(0, 30, 2)
    frame[top : top + 18, left : left + 30] = rng.integers(0, 256, 3)
    return frame


def edgeseg(*words, **options):
    command = [sys.executable, "-m", "edgeseg", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, **options)


def run_on_one_machine(model, source, out):
    """Return the rows of ``edgeseg run`` by name; masks are in ``out/masks``."""
    lines = out / "rows.jsonl"
    edgeseg("run", model, source, "-o", f"masks:{out / 'masks'}", "-o", lines)
    rows = map(json.loads, lines.read_text().splitlines())
    return {row["name"]: row for row in rows}


def files_of(folder):
    """Return the content of every file below a folder by its path."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def as_run(row):
    """Return a row of Parquet as ``edgeseg run`` writes it."""
    return {
        "name": row["name"],
        "height": row["height"],
        "width": row["width"],
        "classes": [
            {
                "id": each["id"],
                "label": each["label"],
                "area": each["area"],
                "share": round(each["share"], 6),
                "centroid": [
                    round(each["centroid_x"], 2),
                    round(each["centroid_y"], 2),
                ],
            }
            for each in row["classes"]
        ],
    }


def common(row):
    return {key: row[key] for key in ("name", "height", "width", "classes")}
