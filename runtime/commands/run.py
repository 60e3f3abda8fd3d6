"""``edgeseg run``: parse, call, print."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from edgeseg.devices import InputError
from edgeseg.runtime.commands.camera_tables import cameras_in
from edgeseg.runtime.commands.config import config_option, files_of_config
from edgeseg.runtime.commands.options import MODEL, settings_options
from edgeseg.runtime.commands.run_options import RunSettings
from edgeseg.runtime.terminal.completion import complete_file
from edgeseg.runtime.terminal.console import show

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.runtime.commands.opened_run import Outcome
    from edgeseg.runtime.pipeline.run import Stop, UnreadError

_STDOUT = ("-", "events:-")
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
      imx500:network.rpk        an AI Camera, whose own network answers
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
    from edgeseg.runtime.commands.opened_run import shown_output, summary_text
    from edgeseg.runtime.json_text import json_text
    from edgeseg.runtime.output.secret_files import warn_of_shown_secrets
    from edgeseg.runtime.pipeline.stopping import stopping_on_signals

    ctx = click.get_current_context()
    if cameras_in(ctx.default_map or {}):
        _run_cameras(ctx, settings)
        return
    outputs = settings.all_outputs
    warn_of_shown_secrets([settings.source, *outputs])
    with stopping_on_signals() as stop:
        try:
            outcome = _run(settings, files_of_config(ctx), stop)
        except KeyboardInterrupt:
            sys.exit(130)
    if settings.as_json:
        click.echo(json_text(outcome.summary, indent=2))
    else:
        text = summary_text(outcome.summary)
        if outputs:
            text += f"\nwritten: {', '.join(map(shown_output, outputs))}"
        show(text, err=any(output in _STDOUT for output in outputs))
    if outcome.unread is not None:
        raise _named(outcome.unread)
    if outcome.tally.signal is not None:
        sys.exit(128 + outcome.tally.signal)


def _run(settings: RunSettings, read: tuple[Path, ...], stop: Stop) -> Outcome:
    """Open everything and run."""
    from edgeseg.runtime.commands.opened_run import open_run
    from edgeseg.runtime.pipeline.meter import Meter
    from edgeseg.runtime.service.notify import Notifier
    from edgeseg.runtime.terminal.progress import RunProgress

    meter = Meter()
    opened = open_run(settings, meter, read=read)
    with RunProgress(opened.source, meter) as progress, ExitStack() as notifying:
        notifier = Notifier(meter)
        notifier.start()
        notifying.callback(notifier.stop)
        return opened.run(stop, progress.show)


def _run_cameras(ctx: click.Context, settings: RunSettings) -> None:
    """Run the cameras of a configuration, and print what they did."""
    from edgeseg.runtime.commands.cameras import (
        cameras_of,
        cameras_text,
        failed,
        run_cameras,
    )
    from edgeseg.runtime.json_text import json_text
    from edgeseg.runtime.pipeline.stopping import stopping_on_signals

    cameras = cameras_of(ctx, settings)
    with stopping_on_signals() as stop:
        try:
            summary = run_cameras(settings, cameras, stop, files_of_config(ctx))
        except KeyboardInterrupt:
            sys.exit(130)
    if settings.as_json:
        click.echo(json_text(summary, indent=2))
    else:
        outputs = [text for each in cameras.values() for text in each.outputs]
        to_stdout = any(text in _STDOUT for text in outputs)
        show(cameras_text(summary), err=to_stdout)
    if stop.signal is not None:
        sys.exit(128 + stop.signal)
    error = failed(summary)
    if error is not None:
        raise error


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
