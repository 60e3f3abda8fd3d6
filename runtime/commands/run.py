"""``edgeseg run``: parse, call, print."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeseg.devices.plain_text import hide_credentials
from edgeseg.runtime.commands.options import (
    MODEL,
    device_options,
    override_options,
    overrides_of,
)
from edgeseg.runtime.commands.run_options import WEB_OUTPUT, run_options
from edgeseg.runtime.terminal.completion import complete_file
from edgeseg.runtime.web.address import hide_token

if TYPE_CHECKING:
    from edgeseg.devices.types import Json
    from edgeseg.runtime.model.manifest import Manifest
    from edgeseg.runtime.model.overrides import Overrides
    from edgeseg.runtime.output.sink import Sink
    from edgeseg.runtime.pipeline.run import PipelineOptions, Stop, Tally


@click.command()
@click.argument("model", type=MODEL)
@click.argument("source", shell_complete=complete_file)
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    metavar="OUT",
    shell_complete=complete_file,
    help="Where results go; may be given several times.",
)
@device_options
@override_options
@run_options
def run(
    model: Path, source: str, outputs: tuple[str, ...], as_json: bool, **values: Any
) -> None:
    """Segment pictures, a video or a camera and write or show the result.

    \b
    SOURCE is
      photo.jpg                 a picture
      folder or 'photos/*.jpg'  pictures, with those of sub-folders
      clip.mp4                  a video file
      camera:0                  the first camera (also v4l2:/dev/video0)
      picamera                  a Raspberry Pi's camera
      csi:0                     a Jetson's camera
      rtsp://HOST/PATH          a network camera
      http://HOST/PATH          a stream of JPEG pictures
      gst:PIPELINE              what a GStreamer pipeline gives
      pan:photos/               a moving camera over photos
      synthetic:640x480,live    drawn shapes, to try without a camera

    \b
    OUT is
      a folder or picture.png   overlays
      clip.mp4 (.avi .mkv)      overlay video
      masks:FOLDER              class ids as palette PNGs
      found.jsonl or -          one JSON object a picture
      window                    a window on this machine's screen
      web:HOST:PORT             a page for browsers, as --web
      mqtt://HOST               areas of classes, for Home Assistant
      rtp://HOST:PORT           overlay video over the network
      rtsp://HOST/PATH          the same, to an RTSP server
      shared:NAME               the newest overlay, for another program
      null                      nothing

    Without an output the summary is all there is. Ctrl-C ends the run in order, twice
    at once.
    """  # noqa: D301 (click needs the character itself)
    from edgeseg.runtime.json_text import json_text
    from edgeseg.runtime.pipeline.stopping import stopping_on_signals

    web = values.pop("web")
    if web is not None:
        outputs = (*outputs, f"{WEB_OUTPUT}{web}")
    with stopping_on_signals() as stop:
        try:
            tally, summary = _run(model, source, outputs, stop, values)
        except KeyboardInterrupt:
            sys.exit(130)
    if as_json:
        click.echo(json_text(summary, indent=2))
    else:
        click.echo(_summary_text(summary, outputs), err="-" in outputs)
    if tally.signal is not None:
        sys.exit(128 + tally.signal)


def _run(
    model: Path,
    source: str,
    outputs: tuple[str, ...],
    stop: Stop,
    values: Json,
) -> tuple[Tally, Json]:
    """Open everything, run, and return what was done."""
    from edgeseg.runtime.capture.open import open_source
    from edgeseg.runtime.capture.source import CaptureOptions
    from edgeseg.runtime.drawing.look import check_look
    from edgeseg.runtime.output.open import open_sink
    from edgeseg.runtime.output.sink import Style
    from edgeseg.runtime.pipeline.meter import Meter
    from edgeseg.runtime.pipeline.run import run_pipeline
    from edgeseg.runtime.segmentation.segmenter import Segmenter
    from edgeseg.runtime.service.notify import Notifier
    from edgeseg.runtime.terminal.progress import RunProgress

    look, options = _look_of(values), _pipeline_options_of(values)
    overrides: Overrides = overrides_of(values)
    meter = Meter()
    with ExitStack() as stack:  # closes what is open where the rest cannot be opened
        asked = CaptureOptions(
            values["size"],
            values["camera_fps"],
            int(values["rotate"]),
            wait=values["wait"],
        )
        opened = stack.enter_context(open_source(source, asked))
        segmenter = stack.enter_context(
            Segmenter.open(
                model,
                device=values["device"],
                threads=values["threads"],
                overrides=overrides,
            )
        )
        check_look(look, segmenter.manifest)
        style = Style(
            segmenter.manifest,
            look=look,
            shapes=values["shapes"],
            fps=options.rate(opened.fps),
            resume=values["skip_existing"],
            meter=meter,
        )
        sinks = [stack.enter_context(open_sink(text, style)) for text in outputs]
        _tell_addresses(sinks)
        device = segmenter.device.describe()
        stack.pop_all()  # from here on the pipeline closes them
        with RunProgress(opened, meter) as progress, ExitStack() as telling:
            notifier = Notifier(meter)
            notifier.start()
            telling.callback(notifier.stop)
            tally = run_pipeline(
                opened,
                segmenter,
                sinks,
                options=options,
                skip_existing=values["skip_existing"],
                progress=progress.show,
                meter=meter,
                stop=stop,
            )
    return tally, _summary(tally, segmenter.manifest, device)


def _tell_addresses(sinks: list[Sink]) -> None:
    for sink in sinks:
        address = getattr(sink, "url", None)
        if address is not None:
            click.echo(f"to be seen at {address}", err=True)


def _look_of(values: Json) -> Any:
    from edgeseg.runtime.drawing.look import Look

    classes = values.pop("classes")
    names = [name.strip() for name in classes.split(",")] if classes else []
    keys = ("effect", "alpha", "contours", "legend", "statistics")
    return Look(
        classes=tuple(filter(None, names)), **{key: values.pop(key) for key in keys}
    )


def _pipeline_options_of(values: Json) -> PipelineOptions:
    from edgeseg.runtime.pipeline.run import PipelineOptions

    keys = ("every", "fps", "frames", "seconds", "region")
    return PipelineOptions(
        smoothing=values.pop("smooth"), **{key: values.pop(key) for key in keys}
    )


def _summary(tally: Tally, manifest: Manifest, device: Json) -> Json:
    pixels = sum(tally.pixels.values())
    return {
        "pictures": tally.done,
        "skipped": tally.skipped,
        "dropped": tally.dropped,
        "classes": {
            manifest.label(i): round(count / pixels, 6)
            for i, count in tally.pixels.most_common()
        },
        "median_ms": {
            stage: round(spent, 2) for stage, spent in tally.median_ms.items()
        },
        "device": device,
    }


def _summary_text(summary: Json, outputs: tuple[str, ...]) -> str:
    classes = ", ".join(f"{n} {s:.1%}" for n, s in summary["classes"].items() if s)
    spent = ", ".join(f"{k} {v:.1f} ms" for k, v in summary["median_ms"].items())
    device = summary["device"]
    left_out = "".join(
        f", {summary[key]} {key}" for key in ("skipped", "dropped") if summary[key]
    )
    lines = [
        f"{summary['pictures']} pictures{left_out}; share of pixels: {classes or '-'}",
        f"median: {spent or '-'} ({device['runtime']} {device['version']}, "
        f"{device['threads']} threads)",
    ]
    if outputs:
        lines.append(f"written: {hide_token(hide_credentials(', '.join(outputs)))}")
    return "\n".join(lines)
