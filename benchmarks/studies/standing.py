"""Where models stand: what each scores, beside what it takes, in one run.

``python -m edgeseg.benchmarks.studies.standing DATASET RECORD.json MODEL[=LABELS] ...``
scores every model on the same pictures at their own size, the classes of the first
model counted and all others merged into background, and times all of them picture by
picture, one after the other, so that what else the machine does meets each alike. The
first model is the one whose standing is in question: the others get ratios and paired
intervals to it. ``--plot FILE.png`` draws latency against mIoU.

Run from a checkout; see `edgeseg.benchmarks.studies`.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeseg.benchmarks.record import write_record
from edgeseg.benchmarks.studies.conversions import machine
from edgeseg.runtime import Overrides, Segmenter
from edgeseg.runtime.accuracy.bootstrap import paired_bootstrap
from edgeseg.runtime.accuracy.evaluation import evaluate
from edgeseg.runtime.accuracy.matching import Matching
from edgeseg.runtime.accuracy.open import open_dataset
from edgeseg.runtime.commands.options import MODEL, PATH
from edgeseg.runtime.model.embedded import sha256
from edgeseg.runtime.pictures.atomic import replacing
from edgeseg.runtime.terminal.progress import ProgressLine

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json
    from edgeseg.runtime.accuracy.dataset import Dataset
    from edgeseg.runtime.accuracy.result import Accuracy

STAGES = ("preprocess", "invoke", "postprocess")
_WARM_UP = 3


@dataclass(frozen=True)
class Entry:
    """A model that is compared.

    Parameters
    ----------
    path : Path
        Its file.
    labels : str or None
        Its label set, where the file has none.
    """

    path: Path
    labels: str | None = None

    @classmethod
    def parse(cls, text: str) -> Entry:
        """Read ``MODEL`` or ``MODEL=LABELS``.

        Examples
        --------
        >>> Entry.parse("a.tflite=pascal-voc").labels
        'pascal-voc'
        """
        name, _, labels = text.partition("=")
        return cls(MODEL.convert(name, None, None), labels or None)

    def open(self, threads: int) -> Segmenter:
        """Open it."""
        overrides = Overrides(labels=self.labels)
        return Segmenter.open(self.path, threads=threads, overrides=overrides)


def time_all(
    segmenters: Sequence[Segmenter], frames: Sequence[NDArray[np.uint8]], rounds: int
) -> list[dict[str, float]]:
    """Return each model's median milliseconds a stage, and of all stages together.

    Parameters
    ----------
    segmenters : sequence of Segmenter
        Open.
    frames : sequence of ndarray
        ``(H, W, 3)`` uint8 RGB.
    rounds : int
        Times that every frame goes through every model.
    """
    import numpy as np

    spent: list[list[list[float]]] = [[] for _ in segmenters]
    for segmenter in segmenters:
        for _ in range(_WARM_UP):
            segmenter.segment(frames[0])
    for _ in range(rounds):
        for frame in frames:
            for segmenter, times in zip(segmenters, spent, strict=True):
                spent_ms = segmenter.segment(frame).timings_ms
                times.append([spent_ms[stage] for stage in STAGES])
    found = []
    for times in spent:
        stages = np.median(np.array(times), axis=0)
        whole = float(np.median(np.array(times).sum(axis=1)))
        named = dict(zip(STAGES, map(float, stages), strict=True))
        found.append({**named, "picture": whole})
    return found


def score_all(
    entries: Sequence[Entry], dataset: Dataset, threads: int, limit: int | None
) -> list[Accuracy]:
    """Score every model on the classes of the first, all others merged."""
    with entries[0].open(threads) as first:
        classes = first.manifest.labels
    found = []
    for entry in entries:
        progress = ProgressLine(limit or len(dataset.ids))
        with entry.open(threads) as segmenter:
            found.append(
                evaluate(
                    segmenter,
                    dataset,
                    names=dataset.ids[:limit],
                    matching=Matching(classes, merge_others=True),
                    detailed=True,
                    progress=partial(_show, progress, entry.path.name),
                )
            )
        progress.end()
    return found


def _show(line: ProgressLine, name: str, done: int, _: int) -> None:
    line.show(done, name)


def rows_of(
    entries: Sequence[Entry],
    accuracies: Sequence[Accuracy],
    times: Sequence[dict[str, float]],
) -> list[Json]:
    """Return a row a model; the first is what the others are held against."""
    first = accuracies[0]
    rows = []
    for entry, accuracy, spent in zip(entries, accuracies, times, strict=True):
        ahead = paired_bootstrap(first.by_class, accuracy.by_class, first.chosen)
        rows.append(
            {
                "model": entry.path.name,
                "sha256": sha256(entry.path),
                "bytes": entry.path.stat().st_size,
                "input_hw": list(accuracy.network_hw),
                "miou": accuracy.own.miou,
                "boundary_miou": accuracy.boundary_iou,
                "per_class_iou": accuracy.own.per_class_iou,
                "first_minus_this": asdict(ahead),
                "median_ms": {key: round(value, 3) for key, value in spent.items()},
                "times_first": {
                    key: round(value / times[0][key], 3)
                    for key, value in spent.items()
                    if key in ("invoke", "picture")
                },
            }
        )
    return rows


def draw(rows: Sequence[Json], path: Path) -> None:
    """Draw mIoU against the time of a picture, the first model filled."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for index, row in enumerate(rows):
        x, y = row["median_ms"]["picture"], 100 * row["miou"]
        face = "tab:blue" if index == 0 else "none"
        axes.scatter([x], [y], s=60, facecolors=face, edgecolors="tab:blue")
        name = Path(row["model"]).stem
        right = x > max(r["median_ms"]["picture"] for r in rows) / 2
        axes.annotate(
            name,
            (x, y),
            (-6 if right else 6, 7),
            textcoords="offset points",
            fontsize=8,
            ha="right" if right else "left",
        )
    axes.set_xlabel("picture to class ids, median, ms")
    axes.set_ylabel(f"mIoU, {len(rows[0]['per_class_iou'])} classes, %")
    axes.margins(0.25)
    axes.grid(alpha=0.3)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=150, format="png")


@click.command()
@click.argument("dataset", type=PATH)
@click.argument("record", type=PATH)
@click.argument("models", nargs=-1, required=True)
@click.option("--split", default="val", show_default=True)
@click.option("--threads", type=click.IntRange(1), default=2, show_default=True)
@click.option("--limit", type=click.IntRange(1), help="Score the first N pictures.")
@click.option("--timed", default=64, show_default=True, help="Pictures to time with.")
@click.option("--rounds", default=4, show_default=True, help="Times each is timed.")
@click.option("--plot", type=PATH, help="Also draw latency against mIoU there.")
@click.option("--note", default="", help="What else the record is to say.")
def main(
    dataset: Path,
    record: Path,
    models: tuple[str, ...],
    *,
    split: str,
    threads: int,
    limit: int | None,
    timed: int,
    rounds: int,
    plot: Path | None,
    note: str,
) -> None:
    """Score and time models on the same pictures in one run."""
    entries = [Entry.parse(text) for text in models]
    data = open_dataset(dataset, split)
    load_before = os.getloadavg()[0]
    frames = [data.picture(name) for name in data.ids]
    opened = [entry.open(threads) for entry in entries]
    times = time_all(opened, frames[:timed], rounds)
    for segmenter in opened:
        segmenter.close()
    accuracies = score_all(entries, data, threads, limit)
    rows = rows_of(entries, accuracies, times)
    values = {
        "models": rows,
        "dataset": f"{dataset.name}/{split}",
        "images": len(accuracies[0].pictures),
        "classes": list(accuracies[0].classes),
        "protocol": "one confusion matrix, void dropped, own size, other classes "
        "merged into background; paired bootstrap over images, 95 %; times interleaved",
        "threads": threads,
        "timed_pictures": min(len(frames), timed),
        "rounds": rounds,
        "load_average": {"before": load_before, "after": os.getloadavg()[0]},
        "machine": machine(),
        "note": note,
    }
    write_record(record, values)
    if plot is not None:
        draw(rows, plot)
    for row in rows:
        click.echo(
            f"{row['model']:45} mIoU {100 * row['miou']:.2f} %  picture "
            f"{row['median_ms']['picture']:.1f} ms (x{row['times_first']['picture']})"
        )


if __name__ == "__main__":
    main()
