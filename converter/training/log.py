"""What a training reports: log.csv, log.json, curves.png, and lines while it runs.

``log.json`` holds what the training was made of (hashes, versions, settings) and how
it went.
"""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need, third_party
from edgeseg.converter.training.settings import NOTHING
from edgeseg.runtime.accuracy.dataset import fingerprint
from edgeseg.runtime.json_text import json_text
from edgeseg.runtime.model.embedded import sha256
from edgeseg.runtime.pictures.atomic import replacing, write_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgeseg.converter.training.data.classes import ChosenClasses
    from edgeseg.converter.training.settings import Settings
    from edgeseg.converter.training.start.batch_graph import Start
    from edgeseg.converter.training.state import Progress
    from edgeseg.devices.types import Json


COLUMNS = (
    "epoch",
    "step",
    "loss",
    "rate",
    "val_miou",
    "images_per_s",
    "seconds",
)

_LEARNT = 0.01  # the least IoU of a class that something has been learnt of


def write_csv(path: Path, rows: Sequence[Json]) -> None:
    """Write a row an epoch; epochs without validation have an empty ``val_miou``."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def write_json(path: Path, values: Json) -> None:
    """Write settings, origins and the log."""
    write_text(path, json_text(values, indent=2, sort_keys=True) + "\n")


def draw_curves(path: Path, rows: Sequence[Json]) -> None:
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


def origins_of(
    settings: Settings,
    train: ChosenClasses,
    validation: ChosenClasses,
    counts: list[int],
    teacher: str | None,
) -> Json:
    """Return what decides a training beside its settings, as JSON values.

    Parameters
    ----------
    settings : Settings
        All of them.
    train, validation : ChosenClasses
        The pictures.
    counts : list of int
        Pixels of each class to train on.
    teacher : str or None
        The teacher's hash.
    """
    start = None if settings.start == NOTHING else Path(settings.start)
    return {
        "classes": list(train.labels),
        "pixels": dict(zip(train.labels, counts, strict=True)),
        "train": {"pictures": len(train.ids), "fingerprint": fingerprint(train)},
        "validation": {
            "pictures": len(validation.ids),
            "fingerprint": fingerprint(validation),
        },
        "start_sha256": sha256(start) if start and start.is_file() else None,
        "teacher_sha256": teacher,
        "versions": {
            name: version(name) for name in ("edgeseg", "keras", "numpy", "tensorflow")
        },
        "backend": need("keras").backend.backend(),
    }


def write_log(
    path: Path,
    settings: Settings,
    origins: Json,
    start: Start,
    progress: Progress,
) -> None:
    """Write all that is needed to judge a training, or to repeat it.

    Parameters
    ----------
    path : Path
        The JSON file.
    settings : Settings
        All of them.
    origins : dict
        From `origins_of`.
    start : Start
        What it started from.
    progress : Progress
        How far it got.
    """
    write_json(
        path,
        {
            **origins,
            "settings": settings.to_dict(),
            "notes": list(start.notes),
            "new_layers": sorted(start.new_layers),
            "progress": asdict(progress),
        },
    )


def hashes(origins: Json) -> Json:
    """Return the hashes by which a resumed training knows its files."""
    return {
        "training pictures": origins["train"]["fingerprint"],
        "validation pictures": origins["validation"]["fingerprint"],
        "start's sha256": origins["start_sha256"],
        "teacher's sha256": origins["teacher_sha256"],
    }


def step_line(progress: Progress, steps: int, rate: float, left_s: float) -> str:
    """Return where an epoch stands, how fast it goes and how long is left.

    Parameters
    ----------
    progress : Progress
        Of the training.
    steps : int
        Of an epoch.
    rate : float
        Pictures a second, of the last steps.
    left_s : float
        Seconds to the end.
    """
    loss = progress.losses / max(progress.counted, 1)
    return (
        f"epoch {progress.step // steps + 1}/{-(-progress.total // steps)} "
        f"step {progress.step}/{progress.total} loss {loss:.4f} "
        f"{rate:.1f} images/s, {_duration(left_s)} left"
    )


def epoch_line(row: Json, progress: Progress) -> str:
    """Return what an epoch came to, from its row of the log."""
    parts = ["before training" if row["epoch"] == 0 else f"epoch {row['epoch']}"]
    if row["loss"] is not None:
        parts.append(f"loss {row['loss']:.4f}")
    if row["val_miou"] is not None and progress.best_miou is not None:
        parts.append(
            f"validation mIoU {100 * row['val_miou']:.2f} % (best "
            f"{100 * progress.best_miou:.2f} %, epoch {progress.best_epoch})"
        )
    line = ", ".join(parts)
    if row["val_miou"] is None:
        return line
    return f"{line}\n  IoU %: {_class_scores(row['val_iou'])}"


def _class_scores(iou: Mapping[str, float | None]) -> str:
    """Return the IoU of each class in percent; a dash where no picture has it."""
    return ", ".join(
        f"{name} -" if value is None else f"{name} {100 * value:.{value < 0.1:d}f}"
        for name, value in iou.items()
    )


def never_learnt(rows: Sequence[Json]) -> tuple[str, ...]:
    """Return the classes whose IoU never got above one percent, in their order.

    Parameters
    ----------
    rows : sequence of dict
        The log, a row an epoch.

    Examples
    --------
    >>> row = {"val_miou": 0.4, "val_iou": {"road": 0.8, "pole": 0.004, "bus": None}}
    >>> never_learnt([row])
    ('pole',)
    """
    best: dict[str, float] = {}
    for row in rows:
        if row["val_miou"] is not None:
            for name, value in row["val_iou"].items():
                if value is not None:
                    best[name] = max(value, best.get(name, 0.0))
    return tuple(name for name, value in best.items() if value <= _LEARNT)


def diverged(loss: float, progress: Progress, settings: Settings, best: Path) -> str:
    """Return what to say when the loss is no number any more."""
    return (
        f"the training diverged: the loss is {loss} at step {progress.step + 1}; "
        f"{best} holds the best weights so far (epoch {progress.best_epoch}): begin "
        f"anew with --restart and smaller rates than --rate {settings.rate:g} "
        f"--new-rate {settings.new_rate:g}"
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
