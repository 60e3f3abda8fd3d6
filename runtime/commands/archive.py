"""``edgeseg archive``: parse, call, print."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeseg.runtime.commands.options import (
    MODEL,
    DeviceSettings,
    OverrideSettings,
    option,
    settings_options,
)
from edgeseg.runtime.terminal.completion import complete_file
from edgeseg.runtime.terminal.console import show

if TYPE_CHECKING:
    from edgeseg.devices.types import Json
    from edgeseg.runtime.archive.job import Archived
    from edgeseg.runtime.archive.plan import ArchiveRequest, Plan

_NAMED = 50  # pictures that could not be read, in messages; a file has them all
_OPTIONAL = re.compile(r"(\d+)|(\d+(?:\.\d*)?|\.\d+)%")


class SampleParam(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """``N`` pictures, or a share such as ``5%``."""

    name = "N|%"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | float:
        """Parse the text; a share is a float in 0..1."""
        if isinstance(value, (int, float)):
            return value
        found = _OPTIONAL.fullmatch(value.strip())
        number = float(found[1] or found[2]) if found else 0.0
        if found is None or number == 0 or (found[2] and number > 100):
            self.fail(f"expected a number of pictures, or a share as 5%; got {value!r}")
        return int(number) if found[1] else number / 100


@dataclass(frozen=True, kw_only=True)
class ArchiveSettings(OverrideSettings, DeviceSettings):
    """Options of ``edgeseg archive``."""

    output: Path = option(
        "-o",
        "--output",
        required=True,
        type=click.Path(path_type=Path),
        metavar="OUT",
        help="Folder for masks, areas and overlays; a run that was stopped goes on "
        "there.",
    )
    ray: str | None = option(
        "--ray",
        metavar="ADDRESS",
        help="Work on this cluster of Ray: HOST:PORT, or auto for the one that this "
        "machine belongs to.  [default: a Ray of its own, on this machine alone]",
    )
    actors: int | None = option(
        "--actors",
        type=click.IntRange(min=1),
        metavar="N",
        help="Processes that segment, at most.  [default: as many as the cluster has "
        "cores for]",
    )
    overlays: bool = option(
        "--overlays", default=False, is_flag=True, help="Write overlays too."
    )
    limit: int | None = option(
        "--limit",
        type=click.IntRange(min=1),
        metavar="N",
        help="Take the first N pictures.  [default: all]",
    )
    sample: int | float | None = option(
        "--sample",
        type=SampleParam(),
        help="Take N pictures, or such a share of pictures and frames, as if drawn by "
        "chance; each time the same.",
    )
    dry_run: bool = option(
        "--dry-run",
        default=False,
        is_flag=True,
        help="Say what would be done, and write nothing.",
    )
    as_json: bool = option(
        "--json", default=False, is_flag=True, help="Print the summary as JSON."
    )


@click.command()
@click.argument("model", type=MODEL)
@click.argument("sources", nargs=-1, required=True, shell_complete=complete_file)
@settings_options(ArchiveSettings)
def archive(model: Path, sources: tuple[str, ...], settings: ArchiveSettings) -> None:
    """Segment very many pictures, on this machine or a cluster of Ray.

    \b
    SOURCE is
      folder or 'photos/*.jpg'  pictures and videos, with those of sub-folders
      clip.mp4, photo.jpg       a video, a picture
      list.txt                  a path or URL a line
      s3://BUCKET/PATH          the same behind a URL (gs, hdfs, and what fsspec knows)

    \b
    In OUT are afterwards
      masks/                    class ids as palette PNGs, in the sources' folders
      areas/                    Parquet: a row a picture with areas and centroids
      overlays/                 with --overlays
      unread.jsonl              what could not be read, and why
      archive.json              which job it is

    Each picture is done once, and is whole or not there. A run that was stopped or
    killed goes on when it is repeated. What could not be read is tried again then;
    the others are done, and the exit status is 1.
    """  # noqa: D301 (click needs the character itself)
    from edgeseg.runtime.archive.cluster import check_installed
    from edgeseg.runtime.archive.job import archive as do_archive
    from edgeseg.runtime.archive.plan import plan_archive
    from edgeseg.runtime.json_text import json_text
    from edgeseg.runtime.pipeline.stopping import stopping_on_signals

    check_installed()
    request = _request(model, sources, settings)
    if settings.dry_run:
        values = _plan_values(plan_archive(request))
        click.echo(json_text(values, indent=2) if settings.as_json else _text(values))
        return
    with stopping_on_signals(working=True) as stop, _Progress() as progress:
        archived = do_archive(request, stop=stop, progress=progress.show)
    _report(archived, settings)


def _report(archived: Archived, settings: ArchiveSettings) -> None:
    from edgeseg.runtime.archive.job import unread_error
    from edgeseg.runtime.json_text import json_text

    values = _values(archived)
    if settings.as_json:
        click.echo(json_text(values, indent=2))
    else:
        show(f"{_text(values)}\nwritten: {settings.output}")
    for each in archived.unread[:_NAMED] if len(archived.unread) > 1 else ():
        show(f"{each.source}: {each.reason}", err=True)
    if archived.signal is not None:
        sys.exit(128 + archived.signal)
    error = unread_error(archived)
    if error is not None:
        raise error


def _request(
    model: Path, sources: tuple[str, ...], settings: ArchiveSettings
) -> ArchiveRequest:
    from edgeseg.runtime.archive.plan import ArchiveRequest

    return ArchiveRequest(
        model=model,
        sources=sources,
        output=settings.output,
        device=settings.device,
        threads=settings.threads,
        overrides=settings.overrides,
        overlays=settings.overlays,
        limit=settings.limit,
        sample=settings.sample,
        actors=settings.actors,
        address=settings.ray,
    )


def _plan_values(plan: Plan) -> Json:
    return {
        "pictures": plan.pictures,
        "videos": plan.videos,
        "done_before": plan.before,
        "left": {
            "pictures": plan.pictures_left,
            "videos": plan.videos_left,
        },
    }


def _values(archived: Archived) -> Json:
    return {
        "done": archived.done,
        "done_before": archived.plan.before,
        "unread": len(archived.unread),
        "seconds": round(archived.seconds, 3),
        "rate": round(archived.done / archived.seconds, 3) if archived.seconds else 0.0,
        "processes_died": archived.deaths,
    }


def _text(values: Json) -> str:
    before = f", {values['done_before']} done before" * bool(values["done_before"])
    if "left" in values:
        left = values["left"]
        return (
            f"{values['pictures']} pictures, {values['videos']} videos{before}; left: "
            f"{left['pictures']} pictures, {left['videos']} videos"
        )
    return (
        f"{values['done']} pictures and frames{before}, {values['unread']} unread, "
        f"{values['rate']:.1f} a second"
    )


class _Progress:
    """Shows what is done, the rate, and how long the rest takes."""

    def __init__(self) -> None:
        from edgeseg.runtime.terminal.progress import RateLine

        self._line = RateLine()

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.end()

    def show(self, archived: Archived) -> None:
        """Show a line, if it is time for one."""
        plan = archived.plan
        done = archived.done + len(archived.unread)
        actors = f"{archived.actors} process{'es' * (archived.actors != 1)}"
        total = None if plan.videos_left else plan.pictures_left
        what = "pictures" if total is not None else "pictures and frames"
        self._line.show(done, total, what, actors)
