"""The commands of the board: parse, call, print."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeseg.runtime.options import (
    PATH,
    device_options,
    override_options,
    overrides_of,
)
from edgeseg.runtime.progress import ProgressLine

if TYPE_CHECKING:
    from edgeseg.runtime.manifest import Manifest
    from edgeseg.runtime.pipeline import Tally


@click.command()
@click.argument("model", type=PATH)
@click.argument("source")
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    metavar="OUT",
    help="Where results go; may be given several times.",
)
@device_options
@override_options
@click.option(
    "--alpha",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="Strength of the overlay's tint.",
)
@click.option("--contours", is_flag=True, help="Draw the borders of areas.")
@click.option("--legend", is_flag=True, help="Write the names of the classes found.")
@click.option(
    "--shapes",
    type=click.Choice(["none", "polygons", "rle"]),
    default="none",
    show_default=True,
    help="What JSON lines tell of each class's area.",
)
@click.option(
    "--skip-existing",
    is_flag=True,
    help="Leave out pictures whose results are there already.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def run(
    model: Path, source: str, outputs: tuple[str, ...], as_json: bool, **values: Any
) -> None:
    """Segment pictures or a video and write the result.

    \b
    SOURCE is a picture, a folder (with its sub-folders), a glob pattern in
    quotes, a video file, or synthetic:640x480,frames=50.

    \b
    OUT is
      a folder or picture.png   overlays
      masks:FOLDER              class ids as palette PNGs
      clip.mp4 (.avi .mkv)      overlay video
      found.jsonl or -          one JSON object a picture
      null:                     nothing

    Without -o the summary is all there is.
    """  # noqa: D301 (click needs the character itself)
    from edgeseg.runtime.pipeline import run_pipeline
    from edgeseg.runtime.segmenter import Segmenter
    from edgeseg.runtime.sinks import Style, open_sink
    from edgeseg.runtime.sources import open_source

    overrides = overrides_of(values)
    opened = open_source(source)
    segmenter = Segmenter.open(
        model,
        device=values["device"],
        threads=values["threads"],
        overrides=overrides,
    )
    style = Style(
        segmenter.manifest,
        alpha=values["alpha"],
        contours=values["contours"],
        legend=values["legend"],
        shapes=values["shapes"],
        fps=opened.fps,
        resume=values["skip_existing"],
    )
    sinks = [open_sink(text, style) for text in outputs]
    progress = ProgressLine(opened.count)
    try:
        tally = run_pipeline(
            opened,
            segmenter,
            sinks,
            skip_existing=values["skip_existing"],
            progress=lambda tally, capture: progress.show(tally.done, capture.name),
        )
    finally:
        progress.end()
    summary = _summary(tally, segmenter.manifest, segmenter.device.describe())
    if as_json:
        click.echo(json.dumps(summary, indent=2))
    else:
        click.echo(_summary_text(summary, outputs), err="-" in outputs)


@click.command()
@click.argument("model", type=PATH)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--manifest",
    "only_manifest",
    is_flag=True,
    help="Print the manifest alone: saved as MODEL.tflite.json it is the model's "
    "sidecar.",
)
@override_options
def info(model: Path, as_json: bool, only_manifest: bool, **values: Any) -> None:
    """Show a model's tensors, operators and manifest."""
    from edgeseg.devices import ModelError
    from edgeseg.runtime.inspection import model_info
    from edgeseg.runtime.manifest import Manifest

    told = model_info(model)
    if told["manifest"] is not None:
        manifest = overrides_of(values).apply(Manifest.from_dict(told["manifest"]))
        told["manifest"] = manifest.to_dict()
    elif only_manifest:
        raise ModelError(f"{model} is no segmentation model: it has no manifest")
    if only_manifest or as_json:
        click.echo(json.dumps(told["manifest"] if only_manifest else told, indent=2))
    else:
        click.echo(_info_text(told))


def _summary(
    tally: Tally, manifest: Manifest, device: dict[str, Any]
) -> dict[str, Any]:
    pixels = sum(tally.pixels.values())
    return {
        "pictures": tally.done,
        "skipped": tally.skipped,
        "classes": {
            manifest.label(i): round(count / pixels, 6)
            for i, count in tally.pixels.most_common()
        },
        "median_ms": {
            stage: round(statistics.median(spent), 2)
            for stage, spent in tally.timings_ms.items()
        },
        "device": device,
    }


def _summary_text(summary: dict[str, Any], outputs: tuple[str, ...]) -> str:
    classes = ", ".join(f"{n} {s:.1%}" for n, s in summary["classes"].items() if s)
    spent = ", ".join(f"{k} {v:.1f} ms" for k, v in summary["median_ms"].items())
    device = summary["device"]
    skipped = f", {summary['skipped']} skipped" if summary["skipped"] else ""
    lines = [
        f"{summary['pictures']} pictures{skipped}; share of pixels: {classes or '-'}",
        f"median: {spent or '-'} ({device['runtime']} {device['version']}, "
        f"{device['threads']} threads)",
    ]
    if outputs:
        lines.append(f"written: {', '.join(outputs)}")
    return "\n".join(lines)


def _info_text(told: dict[str, Any]) -> str:
    lines = [f"{told['file']}  {told['bytes']:,} bytes  sha256 {told['sha256']}"]
    for kind in ("inputs", "outputs"):
        for spec in told[kind]:
            shape = "x".join(map(str, spec["shape"]))
            scale = f"scale {spec['scale']:.6g} zero point {spec['zero_point']}"
            quantization = scale if spec["scale"] else "not quantized"
            name = f"{kind[:-1]:7} {spec['name']}"
            lines.append(f"{name}  {shape} {spec['dtype']}  {quantization}")
    operators = ", ".join(f"{n} {c}" for n, c in told["operators"].items())
    dtypes = ", ".join(f"{n} {c}" for n, c in told["activations"].items())
    lines += [f"operators: {operators}", f"activations: {dtypes}"]
    manifest = told["manifest"]
    if manifest is None:
        return "\n".join([*lines, "manifest: none (no segmentation model)"])
    lines.append(f"manifest (from {told['manifest_from']}):")
    for key, value in manifest.items():
        if key not in ("palette", "labels", "version"):
            lines.append(f"  {key}: {json.dumps(value)}")
    labels = ", ".join(manifest["labels"]) or "unknown: give them with --labels"
    return "\n".join([*lines, f"  labels: {labels}"])
