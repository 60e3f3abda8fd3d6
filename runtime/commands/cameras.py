"""Several cameras in one ``edgeseg run``: one model, and a run for each camera."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from edgeseg.devices import EdgesegError, InputError
from edgeseg.runtime.commands.camera_tables import cameras_in
from edgeseg.runtime.commands.opened_run import (
    Outcome,
    SharedModel,
    open_run,
    open_segmenter,
    summary_text,
)
from edgeseg.runtime.pipeline.meter import Meter
from edgeseg.runtime.pipeline.meters import FailedSource, Meters
from edgeseg.runtime.pipeline.stopping import TICK_S, Stop
from edgeseg.runtime.pipeline.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from edgeseg.devices.types import Json
    from edgeseg.runtime.commands.run_options import RunSettings
    from edgeseg.runtime.model.manifest import Manifest
    from edgeseg.runtime.output.sink import Sink, Style
    from edgeseg.runtime.web.tiles import TilesServer

_log = logging.getLogger(__name__)
_LINE_S = {True: 0.5, False: 600.0}  # between lines, on a terminal and elsewhere
_LAST_S = 5.0  # that cameras have to end in order


def cameras_of(ctx: click.Context, settings: RunSettings) -> dict[str, RunSettings]:
    """Return the settings of each camera of a configuration, by its name.

    Parameters
    ----------
    ctx : click.Context
        Of the command, whose ``default_map`` is the configuration.
    settings : RunSettings
        What stands above the tables, and on the command line, which comes first.

    Raises
    ------
    InputError
        The command line names a source or an output, of which each camera has its own.
    """
    tables = cameras_in(ctx.default_map or {})
    typed = {
        name
        for name in ctx.params
        if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
    parameters = {p.name: p for p in ctx.command.params}
    if tables and typed & {"source", "outputs"}:
        raise InputError(
            "the configuration has [[camera]] tables, each with a source and outputs: "
            "the command line can name neither"
        )
    return {
        name: dataclasses.replace(
            settings,
            web=None,
            **{
                key: parameters[key].type_cast_value(ctx, value)
                for key, value in table.items()
                if key not in typed
            },
        )
        for name, table in tables.items()
    }


class _CameraRun:
    """The run of one camera in a thread of its own."""

    def __init__(
        self,
        name: str,
        settings: RunSettings,
        model: SharedModel,
        page: TilesServer | None,
        read: Sequence[Path],
        whole: Stop,
        meter: Meter,
    ) -> None:
        self.name, self._settings = name, settings
        self._model, self._page, self._read = model, page, read
        self._whole, self._meter = whole, meter
        self.outcome: Outcome | None = None
        self.error: EdgesegError | None = None
        self.fault: BaseException | None = None
        self._thread = threading.Thread(
            target=self._work, name=f"edgeseg-camera-{name}", daemon=True
        )
        self._thread.start()

    @property
    def has_ended(self) -> bool:
        return not self._thread.is_alive()

    def wait(self, patience_s: float) -> None:
        self._thread.join(patience_s)

    def _work(self) -> None:
        try:
            opened = open_run(
                self._settings,
                self._meter,
                read=self._read,
                shared=self._model,
                more_sinks=self._sinks,
            )
            self.outcome = opened.run(Stop(self._whole))
            self.error = self.outcome.unread
        except EdgesegError as error:
            self.error = error
        except BaseException as error:  # raised again in the main thread
            self.fault = error
            self._whole.ask()
        if self.error is not None and not self._whole.asked:
            self._meter.watch(FailedSource(str(self.error)))
            _log.warning("camera %s has ended: %s", self.name, self.error)
        if self._page is not None:
            self._page.end(self.name, "ended" if self.error is None else "failed")

    def _sinks(self, style: Style) -> list[Sink]:
        return [] if self._page is None else [self._page.sink(self.name)]


def run_cameras(
    settings: RunSettings,
    cameras: Mapping[str, RunSettings],
    stop: Stop,
    read: Sequence[Path],
) -> Json:
    """Run all cameras until each has ended, or the stop is asked for.

    A camera that fails is named in the log; the others go on.

    Parameters
    ----------
    settings : RunSettings
        What they share: the model, and the page.
    cameras : mapping of str to RunSettings
        By name.
    stop : Stop
        Ends them all.
    read : sequence of Path
        Files that no output must be.

    Returns
    -------
    dict
        ``cameras``: the summary of each, or its ``error``.

    Raises
    ------
    EdgesegError
        The model cannot be used, or something in the settings of a camera does not
        fit it.
    """
    from edgeseg.runtime.service.notify import Notifier

    meters = {name: Meter() for name in cameras}
    together = Meters(meters)
    with ExitStack() as stack:
        segmenter = stack.enter_context(open_segmenter(settings))
        styles = _styles(cameras, segmenter.manifest, meters)
        page = None
        if settings.web is not None:
            page = _page(settings.web, styles, meters)
            stack.callback(page.close)
        notifier = Notifier(together)
        notifier.start()
        stack.callback(notifier.stop)
        model = SharedModel(segmenter, Turns())
        stop.running = True
        runs = [
            _CameraRun(name, each, model, page, read, stop, meters[name])
            for name, each in cameras.items()
        ]
        try:
            _wait(runs, together, stop)
        finally:
            stop.ask()
            for run in runs:
                run.wait(_LAST_S)
            stop.running = False
    for run in runs:
        if run.fault is not None:
            raise run.fault
    return {"cameras": {run.name: _summary(run) for run in runs}}


def _styles(
    cameras: Mapping[str, RunSettings], manifest: Manifest, meters: Mapping[str, Meter]
) -> dict[str, Style]:
    """Return how each camera's frames are drawn, once its settings fit the model."""
    from edgeseg.runtime.drawing.look import check_look
    from edgeseg.runtime.output.open import find_sink
    from edgeseg.runtime.output.sink import Style

    styles = {}
    for name, each in cameras.items():
        try:
            check_look(each.look, manifest, each.zones)
            for text in each.outputs:
                find_sink(text)
        except EdgesegError as error:
            raise InputError(f"camera {name}: {error}") from error
        styles[name] = Style(
            manifest,
            look=each.look,
            meter=meters[name],
            unlock_privacy=each.unlock_privacy,
            zones=each.zones,
            lines=each.lines,
        )
    return styles


def _page(
    web: str, styles: Mapping[str, Style], meters: Mapping[str, Meter]
) -> TilesServer:
    from edgeseg.runtime.web.open_tiles import open_tiles

    page = open_tiles(web, {n: (style, meters[n]) for n, style in styles.items()})
    if page.url is not None:
        click.echo(f"to be seen at {page.url}", err=True)
    return page


def _wait(runs: Sequence[_CameraRun], meters: Meters, stop: Stop) -> None:
    """Wait for the end of all runs, and say now and then how they go."""
    from edgeseg.runtime.terminal.progress import OverwrittenLine

    line = OverwrittenLine()
    shown_s = time.monotonic()
    while not stop.asked and not all(run.has_ended for run in runs):
        runs[0].wait(TICK_S) if len(runs) == 1 else time.sleep(TICK_S)
        if time.monotonic() - shown_s >= _LINE_S[line.is_terminal]:
            shown_s = time.monotonic()
            readings = meters.read()
            rate = "-" if readings.fps is None else f"{readings.fps:.1f}"
            ended = sum(run.has_ended for run in runs)
            line.write(
                f"{readings.frames} frames of {len(runs)} cameras, {rate} a second, "
                f"{readings.dropped} dropped{f', {ended} ended' if ended else ''}"
            )
    line.end()


def _summary(run: _CameraRun) -> Json:
    error = None if run.error is None else str(run.error)
    if run.outcome is None:
        return {"error": error or "it does not stop: left to itself"}
    return {**run.outcome.summary, "error": error}


def cameras_text(summary: Json) -> str:
    """Return what the cameras did, as lines for a terminal."""
    lines = []
    for name, camera in summary["cameras"].items():
        if "pictures" in camera:
            lines += [f"{name}: {line}" for line in summary_text(camera).splitlines()]
        if camera["error"] is not None:
            lines.append(f"{name}: failed: {camera['error']}")
    return "\n".join(lines)


def failed(summary: Json) -> InputError | None:
    """Return an error where cameras have failed, None where all went well."""
    each = summary["cameras"]
    bad = {name: camera["error"] for name, camera in each.items() if camera["error"]}
    if not bad:
        return None
    name, error = next(iter(bad.items()))
    return InputError(f"{len(bad)} of {len(each)} cameras failed: {name}: {error}")
