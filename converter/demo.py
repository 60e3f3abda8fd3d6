"""The demo: the whole path on the model and the photos that come with the package."""

from __future__ import annotations

import json
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.converter.conversion.conversion import convert
from edgeseg.converter.conversion.parity import compare
from edgeseg.converter.conversion.pictures import sample_views
from edgeseg.converter.conversion.text import conversion_text
from edgeseg.converter.frameworks import require_extra
from edgeseg.converter.quantization.differences import differences
from edgeseg.converter.shipped import keras_file, labels_file, ranges_file
from edgeseg.devices import MissingDriverError, RangesError
from edgeseg.runtime import (
    Look,
    Overrides,
    Segmenter,
    Style,
    open_sink,
    open_source,
    run_pipeline,
)
from edgeseg.runtime.model.embedded import without_manifest
from edgeseg.runtime.shipped import model_file, photo_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.converter.conversion.conversion import Conversion

_MODEL = "voc"  # of those that ship, the one that knows most classes
_FRAMES = 60  # a photo, of the clip
_LOOK = Look(contours=True, legend=True)


@dataclass(frozen=True)
class _DemoRun:
    """What one run found and how long it took."""

    pictures: int
    shares: dict[str, float]
    median_ms: dict[str, float]


def run_demo(folder: Path, *, progress: Callable[[str], None]) -> str:
    """Convert where that is possible, and run on photos and on a clip of them.

    Parameters
    ----------
    folder : Path
        Gets ``overlays/``, ``blurred/``, ``clip.mp4``, ``found.jsonl`` and, with the
        extra ``convert``, ``voc.tflite`` (where the saved ranges do not fit what
        TensorFlow makes here, ``voc.float.tflite``).
    progress : callable
        Called with a line for each step.

    Returns
    -------
    str
        What was found, for a terminal.
    """
    model, lines = _model(folder, progress)
    progress("running on the photos")
    photos = str(photo_folder())
    _run(model, photos, folder, ("overlays", "found.jsonl"), _LOOK)
    _run(model, photos, folder, ("blurred",), Look(effect="blur:60"))
    lines += _photo_lines(folder / "found.jsonl")
    progress("running on a clip")
    run = _run(
        model, f"pan:{photo_folder()},frames={_FRAMES}", folder, ("clip.mp4",), _LOOK
    )
    return "\n".join([*lines, *_clip_lines(run), *_where(folder)])


def _model(folder: Path, progress: Callable[[str], None]) -> tuple[Path, list[str]]:
    """Return the int8 model: made here, or the one that comes with the package."""
    try:
        require_extra()
    except MissingDriverError as error:
        return model_file(_MODEL), [f"model: as it comes with the package ({error})"]
    progress("converting the float Keras model again, from its saved ranges")
    try:
        made = _convert(
            folder / model_file(_MODEL).name, progress, ranges=ranges_file(_MODEL)
        )
    except RangesError as error:
        progress(f"going on with the int8 file that comes with the package: {error}")
        return model_file(_MODEL), _float_lines(folder, progress)
    return made.path, [conversion_text(made), _against_shipped(made.path)]


def _convert(
    output: Path, progress: Callable[[str], None], *, ranges: Path | None
) -> Conversion:
    return convert(
        keras_file(_MODEL),
        calibration=ranges,
        recipe="float32" if ranges is None else "int8",
        output=output,
        head="logits-stride",
        overrides=Overrides(labels=str(labels_file(_MODEL))),
        progress=progress,
    )


def _float_lines(folder: Path, progress: Callable[[str], None]) -> list[str]:
    """Convert to float and say how far the int8 file that ships answers like it."""
    name = f"{_MODEL}.float.tflite"
    made = _convert(folder / name, progress, ranges=None)
    with (
        Segmenter.open(made.path) as fresh,
        Segmenter.open(model_file(_MODEL)) as shipped,
    ):
        parity = compare(fresh, shipped, sample_views())
    return [
        "model: int8 as it comes with the package; it gives "
        f"{parity.agreement:.2%} of the labels of the float model converted here "
        f"({parity.images} views of the sample photos)"
    ]


def _against_shipped(made: Path) -> str:
    """Return how a file made here differs from the one that ships, in words."""
    ours, shipped = made.read_bytes(), model_file(_MODEL).read_bytes()
    if ours == shipped:
        return "byte for byte the one that comes with the package"
    if without_manifest(ours) == without_manifest(shipped):
        return (
            "its network is byte for byte that of the file that comes with the "
            "package; their manifests differ"
        )
    return (
        "not the bytes that come with the package: "
        f"{differences(ours, shipped) or 'the operators differ'}"
    )


def _run(
    model: Path, source: str, folder: Path, outputs: tuple[str, ...], look: Look
) -> _DemoRun:
    opened = open_source(source)
    segmenter = Segmenter.open(model)
    style = Style(segmenter.manifest, look=look, fps=opened.fps)
    sinks = [open_sink(str(folder / name), style) for name in outputs]
    tally = run_pipeline(opened, segmenter, sinks)
    pixels = sum(tally.pixels.values())
    return _DemoRun(
        tally.done,
        {segmenter.manifest.label(i): n / pixels for i, n in tally.pixels.items()},
        tally.median_ms,
    )


def _photo_lines(records: Path) -> list[str]:
    lines = []
    for line in records.read_text("utf-8").splitlines():
        record = json.loads(line)
        lines.append(f"{record['name']}: {_shares_text(_shares_of(record))}")
    return lines


def _shares_of(record: dict[str, list[dict[str, float]]]) -> dict[str, float]:
    return {str(entry["label"]): entry["share"] for entry in record["classes"]}


def _shares_text(shares: dict[str, float]) -> str:
    found = sorted(shares.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{name} {share:.1%}" for name, share in found)


def _clip_lines(run: _DemoRun) -> list[str]:
    spent = ", ".join(f"{stage} {ms:.1f} ms" for stage, ms in run.median_ms.items())
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        f"clip: {run.pictures} frames of 640x480, {_shares_text(run.shares)}",
        f"a frame takes, median: {spent}; peak memory of the run {peak_mb:.0f} MB",
    ]


def _where(folder: Path) -> list[str]:
    made = ", ".join(str(folder / name) for name in ("overlays", "blurred", "clip.mp4"))
    return [
        f"look at {made}",
        f"next: edgeseg run {_MODEL} YOUR_PHOTO.jpg -o out.png, or "
        f"edgeseg run {_MODEL} camera:0 --web",
    ]
