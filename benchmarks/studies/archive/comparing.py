"""What an archive wrote, held against ``edgeseg run`` on one machine."""

from __future__ import annotations

import filecmp
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from edgeseg.runtime.archive.areas_table import FOLDER, AreasTable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgeseg.devices.types import Json


def by_run(model: Path, pictures: Sequence[Path], out: Path) -> dict[str, Json]:
    """Return the rows of ``edgeseg run``, its masks written to a folder."""
    rows: dict[str, Json] = {}
    for path in pictures:
        inside = "" if len(pictures) == 1 else f"{path.stem}/"
        lines = out.with_suffix(".jsonl")
        command = [sys.executable, "-m", "edgeseg", "run", str(model), str(path)]
        command += ["-o", f"masks:{out / inside}", "-o", str(lines)]
        subprocess.run(command, capture_output=True)
        for line in lines.read_text("utf-8").splitlines():
            row = json.loads(line)
            rows[f"{inside}{row['name']}"] = row
        lines.unlink()
    return rows


def masks_in(out: Path) -> int:
    """Return how many masks an archive has."""
    return sum(len(files) for _, _, files in os.walk(out / "masks"))


def compared(out: Path, expected: dict[str, Json], masks: Path) -> Json:
    """Return how rows and masks of an archive differ from those of a run."""
    from pyarrow import parquet

    rows = parquet.read_table(out / FOLDER).to_pylist()
    by_name = {row["name"]: row for row in rows}
    other_rows = [
        n for n, row in expected.items() if _as_run(by_name.get(n)) != _row_of(row)
    ]
    other_masks = [
        name
        for name in expected
        if not (out / "masks" / f"{name}.png").exists()
        or not filecmp.cmp(
            out / "masks" / f"{name}.png", masks / f"{name}.png", shallow=False
        )
    ]
    left = [
        p for _, _, files in os.walk(out) for p in files if p.startswith(".edgeseg")
    ]
    unread = out / "unread.jsonl"
    return {
        "rows": len(rows),
        "twice": len(rows) - len(by_name),
        "missing": len(expected.keys() - AreasTable(out / FOLDER).names()),
        "masks": masks_in(out),
        "other_rows": len(other_rows),
        "other_masks": len(other_masks),
        "left_behind": len(left),
        "unread": _reasons(unread) if unread.exists() else {},
    }


def _reasons(unread: Path) -> dict[str, str]:
    """Return the reason of each file that could not be read."""
    entries = map(json.loads, unread.read_text("utf-8").splitlines())
    return {entry["name"]: entry["reason"] for entry in entries}


def _row_of(row: Json) -> Json:
    """Return what a row of ``edgeseg run`` and one of an archive have in common."""
    return {
        "size": [row["height"], row["width"]],
        "classes": [
            [each["id"], each["label"], each["area"], each["share"], each["centroid"]]
            for each in row["classes"]
        ],
    }


def _as_run(row: Json | None) -> Json | None:
    if row is None:
        return None
    classes = [
        {
            **each,
            "share": round(each["share"], 6),
            "centroid": [round(each[f"centroid_{axis}"], 2) for axis in "xy"],
        }
        for each in row["classes"]
    ]
    return _row_of({**row, "classes": classes})
