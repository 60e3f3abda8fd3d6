"""What a picture takes: the peak resident memory of ``edgeseg run``, in a child.

``python -m edgeseg.benchmarks.studies.memory MODEL... PHOTO... --json RECORD.json``
runs every model on every photo, and on the first photo enlarged to 12 megapixels, and
records the most memory that the process had. ``--command`` names what is run in place
of this Python's edgeseg, such as an emulator of a board: its own memory counts too.

Run from a checkout; see `edgeseg.benchmarks.studies`.
"""

from __future__ import annotations

import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeseg.benchmarks.record import write_record
from edgeseg.benchmarks.studies.conversions import machine
from edgeseg.devices import ModelError
from edgeseg.devices.process_log import reason_in
from edgeseg.runtime.commands.options import MODEL, PATH
from edgeseg.runtime.model.embedded import sha256
from edgeseg.runtime.pictures.files import SUFFIXES, read_picture, write_picture
from edgeseg.runtime.shipped import photo_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeseg.devices.types import Json

LARGE_WH = (4000, 3000)  # 12 megapixels
_OURS = (sys.executable, "-c", "from edgeseg.runtime.cli import main; main()")
# Linux counts what a process was before `exec` as its own, so that a child of a large
# process starts with that one's peak: a small one between them is what it starts from.
_WATCHER = """
import os, sys
child = os.spawnvp(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(child, 0)
print()
print(usage.ru_maxrss, os.waitstatus_to_exitcode(status))
"""


@dataclass(frozen=True)
class Photo:
    """A picture that is segmented.

    Parameters
    ----------
    name : str
        What the record calls it.
    path : Path
        The file.
    """

    name: str
    path: Path

    def to_dict(self) -> Json:
        """Return what figures of it must be read with, as JSON values."""
        height, width = read_picture(self.path).shape[:2]
        return {"sha256": sha256(self.path), "size_wh": [width, height]}


def peak_of(
    model: Path, photo: Path, command: Sequence[str] = _OURS
) -> tuple[int, Json]:
    """Return the peak resident memory of one run in KiB, and the run's device.

    Parameters
    ----------
    model, photo : Path
        What is run.
    command : sequence of str
        What runs ``edgeseg``; the words ``run MODEL PHOTO ...`` follow.

    Raises
    ------
    ModelError
        The run failed; the message gives its last words.
    """
    with tempfile.TemporaryDirectory() as folder:
        output = str(Path(folder) / "overlay.png")
        words = ["run", str(model), str(photo), "-o", output, "--json"]
        done = subprocess.run(
            [sys.executable, "-S", "-c", _WATCHER, *command, *words],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=True,
        )
    output, _, counted = done.stdout.strip().rpartition("\n")
    peak, status = map(int, counted.split())
    if status:
        raise ModelError(f"edgeseg run ended with {status}: {reason_in(done.stderr)}")
    return peak, json.loads(output)["device"]


def measure(
    models: Sequence[Path],
    photos: Sequence[Photo],
    *,
    runs: int,
    command: Sequence[str] = _OURS,
) -> list[Json]:
    """Return a row for every model and photo.

    Parameters
    ----------
    models : sequence of Path
        Model files.
    photos : sequence of Photo
        Pictures.
    runs : int
        Times that each is run; the median counts.
    command : sequence of str
        See `peak_of`.
    """
    rows = []
    for model in models:
        for photo in photos:
            done = [peak_of(model, photo.path, command) for _ in range(runs)]
            peaks = [peak for peak, _ in done]
            rows.append(
                {
                    "model": model.name,
                    "photo": photo.name,
                    "peak_kib": int(statistics.median(peaks)),
                    "peaks_kib": peaks,
                    "device": done[0][1],
                }
            )
    return rows


def enlarge(photo: Path, folder: Path) -> Photo:
    """Write a photo with 12 megapixels, upright or wide as it is, and return it."""
    import cv2
    import numpy as np

    frame = read_picture(photo)
    size = LARGE_WH if frame.shape[1] >= frame.shape[0] else LARGE_WH[::-1]
    large = cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC)
    path = folder / f"{photo.stem}-12mp.jpg"
    write_picture(path, np.asarray(large, np.uint8))
    return Photo(path.name, path)


def _sorted_out(files: Sequence[str]) -> tuple[list[Path], list[Photo]]:
    """Return the models and the photos among the arguments, a shipped one for none."""
    given = [Path(file) for file in files if Path(file).suffix.lower() in SUFFIXES]
    names = [file for file in files if Path(file).suffix.lower() not in SUFFIXES]
    photos = given or sorted(photo_folder().glob("*.jpg"))[:1]
    models = [MODEL.convert(name, None, None) for name in names]
    return models, [Photo(path.name, path) for path in photos]


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="MODEL... [PHOTO...]")
@click.option("--json", "record", type=PATH, help="Write the record there.")
@click.option("--runs", type=click.IntRange(1), default=3, show_default=True)
@click.option("--command", help="What runs edgeseg; this Python by default.")
@click.option("--large/--no-large", default=True, help="Add the 12-megapixel photo.")
@click.option("--note", default="", help="What else the record is to say.")
def main(
    files: tuple[str, ...],
    record: Path | None,
    runs: int,
    command: str | None,
    large: bool,
    note: str,
) -> None:
    """Measure the peak resident memory of models on photos."""
    models, photos = _sorted_out(files)
    if not models:
        raise click.UsageError("expected a model, got photos only")
    load_before = os.getloadavg()[0]
    words = shlex.split(command) if command else _OURS
    with tempfile.TemporaryDirectory() as folder:
        if large:
            photos.append(enlarge(photos[0].path, Path(folder)))
        rows = measure(models, photos, runs=runs, command=words)
        values = {
            "runs": rows,
            "models": {
                path.name: {"sha256": sha256(path), "bytes": path.stat().st_size}
                for path in models
            },
            "photos": {photo.name: photo.to_dict() for photo in photos},
            "protocol": "edgeseg run MODEL PHOTO -o overlay.png in a process of its "
            f"own; peak resident memory (ru_maxrss), median of {runs}",
            "command": Path(words[0]).name if command else "edgeseg",
            "load_average": {"before": load_before, "after": os.getloadavg()[0]},
            "machine": machine(),
            "note": note,
        }
    if record is not None:
        write_record(record, values)
    for row in rows:
        click.echo(
            f"{row['model']:45} {row['photo']:28} {row['peak_kib'] / 1024:6.1f} MiB"
        )


if __name__ == "__main__":
    main()
