"""Old quantized files against what `convert` makes of them: labels, scores and time.

``python -m edgeseg.benchmarks.studies.requantized PHOTOS PICTURES RECORD.json
MODEL[=LABELS] ...``
converts every ``.tflite`` file with PHOTOS for calibration, then times file and result
picture by picture, one after the other, so that what else the machine does meets both.
PICTURES is a folder to compare labels and to time with. With ``--dataset`` files that
have labels are scored too, by a paired interval.

Run from a checkout; see `edgeseg.benchmarks.studies`.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeseg.benchmarks.record import write_record
from edgeseg.benchmarks.studies.conversions import machine
from edgeseg.benchmarks.studies.scoring_options import (
    matching_of,
    say,
    scoring_options,
)
from edgeseg.benchmarks.studies.standing import Entry, time_all
from edgeseg.converter import convert
from edgeseg.devices import EdgesegError
from edgeseg.runtime import Overrides
from edgeseg.runtime.accuracy.evaluation import evaluate_pair
from edgeseg.runtime.accuracy.matching import Matching
from edgeseg.runtime.accuracy.open import open_dataset
from edgeseg.runtime.commands.options import PATH
from edgeseg.runtime.model.embedded import sha256
from edgeseg.runtime.pictures.files import SUFFIXES, read_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json
    from edgeseg.runtime import Segmenter
    from edgeseg.runtime.accuracy.dataset import Dataset


def row_of(
    entry: Entry,
    photos: Path,
    frames: Sequence[NDArray[np.uint8]],
    dataset: Dataset | None,
    matching: Matching,
    *,
    rounds: int,
    progress: Callable[[str], None],
) -> Json:
    """Convert a file, and hold the result against it.

    Parameters
    ----------
    entry : Entry
        The file.
    photos : Path
        A folder of pictures to calibrate with.
    frames : sequence of ndarray
        ``(H, W, 3)`` uint8 RGB, to compare and to time with.
    dataset : Dataset or None
        Pictures with truth.
    matching : Matching
        Which classes count there.
    rounds : int
        Times that every frame goes through both.
    progress : callable
        Called with a line.

    Raises
    ------
    EdgesegError
        The file cannot be run or converted.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = convert(
            entry.path,
            calibration=photos,
            output=Path(folder) / "result.tflite",
            head="logits-stride",
            overrides=Overrides(labels=entry.labels),
            progress=progress,
        )
        result = Entry(made.path, entry.labels)
        with entry.open(2) as old, result.open(2) as new:
            times = time_all([old, new], frames, rounds)
            row = {
                "agreement": _agreement(old, new, frames),
                "median_ms": {"file": times[0], "result": times[1]},
                "picture_ratio": round(times[0]["picture"] / times[1]["picture"], 3),
            }
            if dataset is not None and old.manifest.labels:
                progress("scoring both")
                paired = evaluate_pair(old, new, dataset, matching=matching)
                row["paired"] = _figures(paired.to_dict())
    return {
        "model": entry.path.name,
        "sha256": sha256(entry.path),
        "bytes": [entry.path.stat().st_size, made.bytes_out],
        "input_hw": list(old.input_hw),
        "int8_against_float": made.int8_parity.agreement,
        "float_against_file": asdict(made.float_parity)["agreement"],
        "result_sha256": made.sha256,
        "seconds": round(made.seconds, 1),
        **row,
    }


def _agreement(
    old: Segmenter, new: Segmenter, frames: Sequence[NDArray[np.uint8]]
) -> float:
    """Return the share of pixels of the same class, at the pictures' own size."""
    same = total = 0
    for frame in frames:
        first, second = (one.segment(frame).ids for one in (old, new))
        same += int((first == second).sum())
        total += first.size
    return same / total


def _figures(values: Json) -> Json:
    """Leave a paired evaluation's rows by picture out."""
    return {key: value for key, value in values.items() if key != "pictures"}


@click.command()
@click.argument("photos", type=PATH)
@click.argument("pictures", type=PATH)
@click.argument("record", type=PATH)
@click.argument("models", nargs=-1, required=True, metavar="MODEL[=LABELS]...")
@click.option("--dataset", type=PATH, help="Score files that have labels on it.")
@scoring_options
@click.option("--timed", default=16, show_default=True, help="Pictures to time with.")
@click.option("--rounds", default=4, show_default=True, help="Times each is timed.")
def main(
    photos: Path,
    pictures: Path,
    record: Path,
    models: tuple[str, ...],
    *,
    dataset: Path | None,
    split: str,
    classes: str,
    timed: int,
    rounds: int,
    note: str,
) -> None:
    """Requantize old files, and compare them with the results."""
    load_before = os.getloadavg()[0]
    data = None if dataset is None else open_dataset(dataset, split)
    matching = matching_of(classes)
    files = sorted(p for p in pictures.iterdir() if p.suffix.lower() in SUFFIXES)
    frames = [read_picture(path) for path in files[:timed]]
    if not frames:
        raise click.UsageError(f"expected pictures in {pictures}, got none")
    rows = []
    for text in models:
        entry = Entry.parse(text)
        try:
            row = row_of(
                entry, photos, frames, data, matching, rounds=rounds, progress=say
            )
        except EdgesegError as error:
            reason = str(error).replace(str(entry.path), entry.path.name)
            row = {"model": entry.path.name, "error": reason}
        rows.append(row)
        say(_line(row))
    values = {
        "models": rows,
        "photos": photos.name,
        "dataset": f"{dataset.name}/{split}" if dataset else None,
        "protocol": "edgeseg convert MODEL --head logits-stride --calibration PHOTOS; "
        f"labels compared and times taken on {len(frames)} other pictures, {rounds} "
        "rounds, file and result in turns, medians, 2 threads",
        "load_average": {"before": load_before, "after": os.getloadavg()[0]},
        "machine": machine(),
        "note": note,
    }
    write_record(record, values)
    for row in rows:
        click.echo(_line(row))


def _line(row: Json) -> str:
    if "error" in row:
        return f"{row['model']:42} {row['error']}"
    spent = row["median_ms"]
    return (
        f"{row['model']:42} {row['agreement']:.2%} of labels agree, picture "
        f"{spent['file']['picture']:.1f} -> {spent['result']['picture']:.1f} ms"
    )


if __name__ == "__main__":
    main()
