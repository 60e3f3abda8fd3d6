"""``edgeseg run``: parse, call, print."""

from __future__ import annotations

import re
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from edgeseg.devices import InputError
from edgeseg.devices.plain_text import hide_credentials, hide_token
from edgeseg.runtime.commands.config import config_option
from edgeseg.runtime.commands.options import MODEL, settings_options
from edgeseg.runtime.commands.run_options import RunSettings
from edgeseg.runtime.terminal.completion import complete_file
from edgeseg.runtime.terminal.console import show

if TYPE_CHECKING:
    from edgeseg.devices.types import Json
    from edgeseg.runtime.capture.source import Source
    from edgeseg.runtime.model.manifest import Manifest
    from edgeseg.runtime.output.sink import Sink
    from edgeseg.runtime.pipeline.run import Stop, Tally, UnreadError
    from edgeseg.runtime.zones.watch import Watch

_NAMED = 50  # pictures that could not be read, in messages; --json has them all


@click.command()
@click.argument("model", type=MODEL)
@click.argument("source", shell_complete=complete_file)
@settings_options(RunSettings)
@config_option
def run(settings: RunSettings) -> None:
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
      'door-%Y%m%d-%H%M%S.mkv?piece=10m&keep=7d'
                                the same in dated pieces, the old ones removed
      'door-%Y%m%d-%H%M%S.mkv?on=person&before=5s&after=10s'
                                the same while a person is there (.jpg: a picture)
      masks:FOLDER              class ids as palette PNGs
      found.jsonl or -          one JSON object a picture
      window                    a window on this machine's screen
      web:HOST:PORT             a page for browsers, as --web
      mqtt://HOST               areas of classes, for Home Assistant
      events:FILE.jsonl         one JSON object an event of a zone or line
      webhook:https://HOST/PATH the same, posted
      command:PROGRAM           the same, to a program that is started for each
      rtp://HOST:PORT           overlay video over the network
      rtsp://HOST/PATH          the same, to an RTSP server
      shared:NAME               the newest overlay, for another program
      null                      nothing

    Without an output the summary is all there is. An output must not be what is read,
    nor be in the folder of the pictures. Ctrl-C ends the run in order, twice
    at once.
    """  # noqa: D301 (click needs the character itself)
    from edgeseg.runtime.json_text import json_text
    from edgeseg.runtime.output.secret_files import warn_of_shown_secrets
    from edgeseg.runtime.pipeline.stopping import stopping_on_signals

    outputs = settings.all_outputs
    warn_of_shown_secrets([settings.source, *outputs])
    with stopping_on_signals() as stop:
        try:
            tally, summary, unread = _run(settings, stop)
        except KeyboardInterrupt:
            sys.exit(130)
    if settings.as_json:
        click.echo(json_text(summary, indent=2))
    else:
        to_stdout = any(text in ("-", "events:-") for text in outputs)
        show(_summary_text(summary, outputs), err=to_stdout)
    if unread is not None:
        raise _named(unread)
    if tally.signal is not None:
        sys.exit(128 + tally.signal)


def _run(settings: RunSettings, stop: Stop) -> tuple[Tally, Json, UnreadError | None]:
    """Open everything, run, and return what was done, and what could not be."""
    from edgeseg.runtime.capture.open import open_source
    from edgeseg.runtime.drawing.look import check_look
    from edgeseg.runtime.output.open import open_sink
    from edgeseg.runtime.output.sink import Style
    from edgeseg.runtime.pipeline.meter import Meter
    from edgeseg.runtime.pipeline.run import UnreadError, run_pipeline
    from edgeseg.runtime.segmentation.segmenter import Segmenter
    from edgeseg.runtime.service.notify import Notifier
    from edgeseg.runtime.terminal.progress import RunProgress

    look, options = settings.look, settings.pipeline
    meter = Meter()
    with ExitStack() as stack:  # closes what is open where the rest cannot be opened
        source = stack.enter_context(open_source(settings.source, settings.capture))
        _check_outputs(settings, source)
        segmenter = stack.enter_context(
            Segmenter.open(
                settings.model,
                device=settings.device,
                threads=settings.threads,
                overrides=settings.overrides,
            )
        )
        check_look(look, segmenter.manifest, settings.zones)
        watch = _watch(settings, segmenter.manifest)
        style = Style(
            segmenter.manifest,
            look=look,
            shapes=settings.shapes,
            fps=options.rate(source.fps),
            resume=settings.skip_existing,
            meter=meter,
            unlock_privacy=settings.unlock_privacy,
            live=source.live,
            sound=source.sound,
            zones=settings.zones,
            lines=settings.lines,
        )
        outputs = settings.all_outputs
        sinks = [stack.enter_context(open_sink(text, style)) for text in outputs]
        _show_addresses(sinks)
        shown = [_shown(text) for text in outputs]
        meter.watch_outputs(dict(zip(shown, sinks, strict=True)))
        device = segmenter.device.describe()
        stack.pop_all()  # from here on the pipeline closes them
        with RunProgress(source, meter) as progress, ExitStack() as notifying:
            notifier = Notifier(meter)
            notifier.start()
            notifying.callback(notifier.stop)
            unread = None
            try:
                tally = run_pipeline(
                    source,
                    segmenter,
                    sinks,
                    options=options,
                    skip_existing=settings.skip_existing,
                    progress=progress.show,
                    meter=meter,
                    stop=stop,
                    watch=watch,
                )
            except UnreadError as error:
                unread, tally = error, error.tally
    summary = _summary(tally, segmenter.manifest, device)
    summary["failures"] = [] if unread is None else list(unread.failures)
    return tally, summary, unread


def _watch(settings: RunSettings, manifest: Manifest) -> Watch | None:
    """Return what follows things for zones and lines; None where there are none."""
    if not (settings.zones or settings.lines):
        return None
    from edgeseg.runtime.zones.watch import Watch

    classes = settings.look.classes
    return Watch(manifest, settings.zones, settings.lines, classes=classes)


def _named(unread: UnreadError) -> InputError:
    """Name what could not be read, and return the error that counts it."""
    if len(unread.failures) == 1:
        return unread
    for line in unread.failures[:_NAMED]:
        show(line, err=True)
    more = len(unread.failures) - _NAMED
    return InputError(
        f"{unread.summary}{f' (of those {more} are not named)' if more > 0 else ''}"
    )


def _check_outputs(settings: RunSettings, source: Source) -> None:
    """Refuse outputs that would change what the run reads."""
    from edgeseg.runtime.capture.open import inputs_of
    from edgeseg.runtime.commands.config import files_of_config
    from edgeseg.runtime.output.apart import check_outputs
    from edgeseg.runtime.output.open import find_sink

    others = (*settings.files, *files_of_config(click.get_current_context()))
    outputs = [find_sink(text) for text in settings.all_outputs]
    check_outputs(outputs, inputs_of(settings.source, source, others))


def _shown(output: str) -> str:
    """Return an output without its secrets; all of a webhook's path may be one."""
    webhook = re.match(r"(webhook:https?://[^/?#]*)(.?)", output)
    if webhook is not None:
        return webhook[1] + ("/..." if webhook[2] else "")
    return hide_token(hide_credentials(output))


def _show_addresses(sinks: list[Sink]) -> None:
    for sink in sinks:
        address = getattr(sink, "url", None)
        if address is not None:
            click.echo(f"to be seen at {address}", err=True)


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
    done = f"{summary['pictures']} picture{'' if summary['pictures'] == 1 else 's'}"
    lines = [
        f"{done}{left_out}; share of pixels: {classes or '-'}",
        f"median: {spent or '-'} ({device['runtime']} {device['version']}, "
        f"{device['threads']} threads)",
    ]
    if outputs:
        lines.append(f"written: {', '.join(map(_shown, outputs))}")
    # labels are the model file's own words
    return "\n".join(lines)
