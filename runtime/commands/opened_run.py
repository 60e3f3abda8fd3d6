"""A run as its settings describe it: opened, run, and summed up."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from edgeseg.devices.plain_text import hide_credentials, hide_token

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from edgeseg.devices.types import Json
    from edgeseg.runtime.capture.source import Capture, Source
    from edgeseg.runtime.commands.run_options import RunSettings
    from edgeseg.runtime.model.manifest import Manifest
    from edgeseg.runtime.output.sink import Sink, Style
    from edgeseg.runtime.pipeline.meter import Meter
    from edgeseg.runtime.pipeline.run import Stop, Tally, UnreadError
    from edgeseg.runtime.pipeline.stopping import RunControls
    from edgeseg.runtime.pipeline.turns import Turns
    from edgeseg.runtime.segmentation.segmenter import Segmenter
    from edgeseg.runtime.zones.watch import Watch


@dataclass(frozen=True)
class SharedModel:
    """A segmenter that several runs use in turn.

    Parameters
    ----------
    segmenter : Segmenter
        Open; closed by whoever opened it.
    turns : Turns
        At it.
    """

    segmenter: Segmenter
    turns: Turns


@dataclass(frozen=True)
class Outcome:
    """What a run did.

    Parameters
    ----------
    tally : Tally
        Counts and times.
    summary : dict
        The same as JSON values.
    unread : UnreadError or None
        The pictures that could not be read.
    """

    tally: Tally
    summary: Json
    unread: UnreadError | None


@dataclass(frozen=True)
class OpenedRun:
    """Source, segmenter and sinks of a run, open; `run` closes them.

    Parameters
    ----------
    settings : RunSettings
        What was asked for.
    source : Source
        Gives frames.
    segmenter : Segmenter
        Gives their classes.
    sinks : tuple of Sink
        Take both.
    meter : Meter
        Counts.
    watch : Watch or None
        Follows things for zones and lines.
    turns : Turns or None
        At a shared segmenter, which stays open.
    controls : RunControls
        Pause the run.
    """

    settings: RunSettings
    source: Source
    segmenter: Segmenter
    sinks: tuple[Sink, ...]
    meter: Meter
    watch: Watch | None
    turns: Turns | None
    controls: RunControls

    def run(
        self, stop: Stop, progress: Callable[[Tally, Capture], None] | None = None
    ) -> Outcome:
        """Run to the end; see `run_pipeline`."""
        from edgeseg.runtime.pipeline.run import UnreadError, run_pipeline

        device = self.segmenter.device.describe()
        unread = None
        try:
            tally = run_pipeline(
                self.source,
                self.segmenter,
                self.sinks,
                options=self.settings.pipeline,
                skip_existing=self.settings.skip_existing,
                progress=progress,
                meter=self.meter,
                stop=stop,
                watch=self.watch,
                turns=self.turns,
                controls=self.controls,
            )
        except UnreadError as error:
            unread, tally = error, error.tally
        summary = _summary(tally, self.segmenter.manifest, device)
        summary["failures"] = [] if unread is None else list(unread.failures)
        return Outcome(tally, summary, unread)


def open_run(
    settings: RunSettings,
    meter: Meter,
    *,
    read: Sequence[Path] = (),
    shared: SharedModel | None = None,
    more_sinks: Callable[[Style], Sequence[Sink]] | None = None,
) -> OpenedRun:
    """Open everything of a run.

    Parameters
    ----------
    settings : RunSettings
        What is asked for.
    meter : Meter
        Counts the run's frames.
    read : sequence of Path
        Files that are read beside the source, and must not be outputs.
    shared : SharedModel or None
        In place of a segmenter of its own.
    more_sinks : callable or None
        Returns sinks beside those that the settings name.

    Raises
    ------
    EdgesegError
        Something cannot be opened; what was open is closed again.
    """
    from edgeseg.runtime.capture.open import open_source
    from edgeseg.runtime.drawing.look import check_look
    from edgeseg.runtime.output.open import open_sink

    with ExitStack() as stack:
        source = stack.enter_context(open_source(settings.source, settings.capture))
        _check_outputs(settings, source, read)
        if shared is None:
            segmenter = stack.enter_context(open_segmenter(settings))
        else:
            segmenter = shared.segmenter
        check_look(settings.look, segmenter.manifest, settings.zones)
        watch = _watch(settings, segmenter.manifest)
        style = _style(settings, source, segmenter.manifest, meter)
        outputs = settings.all_outputs
        sinks = [stack.enter_context(open_sink(text, style)) for text in outputs]
        _show_addresses(sinks)
        shown = [shown_output(text) for text in outputs]
        meter.watch_outputs(dict(zip(shown, sinks, strict=True)))
        if more_sinks is not None:
            sinks += more_sinks(style)
        stack.pop_all()  # from here on the pipeline closes them
    turns = None if shared is None else shared.turns
    return OpenedRun(
        settings, source, segmenter, tuple(sinks), meter, watch, turns, style.controls
    )


def open_segmenter(settings: RunSettings) -> Segmenter:
    """Open the model that settings name."""
    from edgeseg.runtime.segmentation.segmenter import Segmenter

    return Segmenter.open(
        settings.model,
        device=settings.device,
        threads=settings.threads,
        overrides=settings.overrides,
    )


def shown_output(output: str) -> str:
    """Return an output without its secrets; all of a webhook's path may be one."""
    webhook = re.match(r"(webhook:https?://[^/?#]*)(.?)", output)
    if webhook is not None:
        return webhook[1] + ("/..." if webhook[2] else "")
    return hide_token(hide_credentials(output))


def _style(
    settings: RunSettings, source: Source, manifest: Manifest, meter: Meter
) -> Style:
    from edgeseg.runtime.output.sink import Style

    return Style(
        manifest,
        look=settings.look,
        shapes=settings.shapes,
        fps=settings.pipeline.rate(source.fps),
        resume=settings.skip_existing,
        meter=meter,
        unlock_privacy=settings.unlock_privacy,
        live=source.live,
        sound=source.sound,
        zones=settings.zones,
        lines=settings.lines,
        model=settings.model,
    )


def _watch(settings: RunSettings, manifest: Manifest) -> Watch | None:
    """Return what follows things for zones and lines; None where there are none."""
    if not (settings.zones or settings.lines):
        return None
    from edgeseg.runtime.zones.watch import Watch

    classes = settings.look.classes
    return Watch(manifest, settings.zones, settings.lines, classes=classes)


def _check_outputs(settings: RunSettings, source: Source, read: Sequence[Path]) -> None:
    """Refuse outputs that would change what the run reads."""
    from edgeseg.runtime.capture.open import inputs_of
    from edgeseg.runtime.output.apart import check_outputs
    from edgeseg.runtime.output.open import find_sink

    outputs = [find_sink(text) for text in settings.all_outputs]
    inputs = inputs_of(settings.source, source, (*settings.files, *read))
    check_outputs(outputs, inputs)


def _show_addresses(sinks: Sequence[Sink]) -> None:
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


def summary_text(summary: Json) -> str:
    """Return what a run did as lines for a terminal.

    Labels are the model file's own words: to be shown as `show` does.
    """
    classes = ", ".join(f"{n} {s:.1%}" for n, s in summary["classes"].items() if s)
    spent = ", ".join(f"{k} {v:.1f} ms" for k, v in summary["median_ms"].items())
    device = summary["device"]
    left_out = "".join(
        f", {summary[key]} {key}" for key in ("skipped", "dropped") if summary[key]
    )
    done = f"{summary['pictures']} picture{'' if summary['pictures'] == 1 else 's'}"
    return (
        f"{done}{left_out}; share of pixels: {classes or '-'}\n"
        f"median: {spent or '-'} ({device['runtime']} {device['version']}, "
        f"{device['threads']} threads)"
    )
