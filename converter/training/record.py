"""What a training leaves to read: log.csv, log.json and curves.png."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from edgeseg.converter._frameworks import need, third_party
from edgeseg.runtime.atomic import replacing, write_text
from edgeseg.runtime.json_text import json_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

COLUMNS = (
    "epoch",
    "step",
    "loss",
    "rate",
    "val_miou",
    "images_per_s",
    "seconds",
)


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a row an epoch; epochs without validation have an empty ``val_miou``."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write settings, origins and the log."""
    write_text(path, json_text(values, indent=2, sort_keys=True) + "\n")


def draw_curves(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Draw loss and validation mIoU over epochs."""
    need("matplotlib").use("Agg")
    with third_party():
        plot = need("matplotlib.pyplot")
        figure, (above, below) = plot.subplots(2, 1, sharex=True, figsize=(7, 6))
        for axes, key, name, factor in (
            (above, "loss", "training loss", 1),
            (below, "val_miou", "validation mIoU, %", 100),
        ):
            points = [(r["epoch"], r[key] * factor) for r in rows if r[key] is not None]
            if points:
                axes.plot(*zip(*points, strict=True), marker=".")
            axes.set_ylabel(name)
            axes.grid(alpha=0.3)
        below.set_xlabel("epoch")
        figure.tight_layout()
        with replacing(path) as temporary:
            figure.savefig(temporary, dpi=110)
        plot.close(figure)
