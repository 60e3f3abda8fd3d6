"""The arguments and options of ``edgeseg run``, each declared once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from edgeseg.runtime.commands.options import (
    DeviceSettings,
    FloatRange,
    OverrideSettings,
    option,
)
from edgeseg.runtime.commands.zone_options import ZoneSettings, names_in
from edgeseg.runtime.drawing.effect import EDGES
from edgeseg.runtime.terminal.completion import complete_file

if TYPE_CHECKING:
    from edgeseg.runtime.capture.source import CaptureOptions
    from edgeseg.runtime.drawing.look import Look
    from edgeseg.runtime.pipeline.options import PipelineOptions
    from edgeseg.runtime.pipeline.region import Region

WEB_OUTPUT = "web:"  # what --web HOST:PORT stands for, before HOST:PORT
WEB = "127.0.0.1:8080"


class FrameSizeParam(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """``WIDTHxHEIGHT`` in pixels."""

    name = "WxH"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Parse the text."""
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", value)
        if found is None:
            self.fail(f"expected WIDTHxHEIGHT such as 640x480; got {value!r}")
        return int(found[1]), int(found[2])


class RegionParam(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """``X,Y,WIDTH,HEIGHT``."""

    name = "X,Y,W,H"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """Parse the text."""
        from edgeseg.devices import InputError
        from edgeseg.runtime.pipeline.region import Region

        if isinstance(value, Region):
            return value
        try:
            return Region.parse(value)
        except InputError as error:
            self.fail(str(error))


@dataclass(frozen=True, kw_only=True)
class _Outputs:
    outputs: tuple[str, ...] = option(
        "-o",
        "--output",
        default=(),
        multiple=True,
        metavar="OUT",
        shell_complete=complete_file,
        help="Where results go; may be given several times.",
    )


# the fields of the last base come first
@dataclass(frozen=True, kw_only=True)
class RunSettings(ZoneSettings, OverrideSettings, DeviceSettings, _Outputs):
    """The arguments and options of ``edgeseg run``."""

    model: Path
    source: str

    size: tuple[int, int] | None = option(
        "--size",
        type=FrameSizeParam(),
        help="Size that a camera is asked for; files keep their own.",
    )
    camera_fps: float | None = option(
        "--camera-fps",
        type=FloatRange(0, 1000, min_open=True),
        help="Frames a second that a camera is asked for.",
    )
    rotate: str = option(
        "--rotate",
        type=click.Choice(["0", "90", "180", "270"]),
        default="0",
        show_default=True,
        help="Turn frames clockwise by so many degrees.",
    )
    wait: bool = option(
        "--wait",
        default=False,
        is_flag=True,
        help="Wait for a camera or stream that is not there yet; what waiting cannot "
        "mend is an error.",
    )

    effect: str = option(
        "--effect",
        default="overlay",
        show_default=True,
        metavar="EFFECT",
        help="What is made of a frame: NAME or NAME:REST, such as blur:31.",
    )
    classes: str | None = option(
        "--classes",
        metavar="A,B,C",
        help="Classes that are to be seen.  [default: all but background]",
    )
    alpha: float = option(
        "--alpha",
        type=FloatRange(0, 1),
        default=0.5,
        show_default=True,
        help="Strength of the overlay's tint.",
    )
    edges: str = option(
        "--edges",
        type=click.Choice(EDGES),
        default=EDGES[0],
        show_default=True,
        help="Border between subject and background: where the picture has an edge, "
        "smoothly along the classes' border, or exactly on it.",
    )
    contours: bool = option(
        "--contours", default=False, is_flag=True, help="Draw the borders of areas."
    )
    legend: bool = option(
        "--legend",
        default=False,
        is_flag=True,
        help="Write the names of the classes found.",
    )
    statistics: bool = option(
        "--statistics",
        default=False,
        is_flag=True,
        help="Write frames a second, latency and age.",
    )

    every: int = option(
        "--every",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="Segment one frame of so many.",
    )
    fps: float | None = option(
        "--fps",
        type=FloatRange(0, 1000, min_open=True),
        help="Segment at most so many frames a second; a video written of a "
        "file plays at true speed.",
    )
    frames: int | None = option(
        "--frames", type=click.IntRange(min=1), help="End after so many frames."
    )
    seconds: float | None = option(
        "--seconds",
        type=FloatRange(0, min_open=True),
        help="End after so many seconds, of a video its own.",
    )
    smooth: float = option(
        "--smooth",
        type=FloatRange(0, 1, max_open=True),
        default=0.0,
        show_default=True,
        help="How much of the frames before stays, against flicker: 0.5, or "
        "0.7 for a model that gives class ids instead of scores.",
    )
    follow_motion: bool = option(
        "--follow-motion",
        default=False,
        is_flag=True,
        help="Let --smooth follow what moves, so that it leaves no trail.",
    )
    region: Region | None = option(
        "--region",
        type=RegionParam(),
        help="Segment this part of each frame, in pixels or, all at most 1, in "
        "fractions.",
    )

    web: str | None = option(
        "--web",
        is_flag=False,
        flag_value=WEB,
        metavar="[HOST:PORT]",
        help=f"Show the run in a browser; alone on {WEB}.",
    )
    root_path: str | None = option(
        "--root-path",
        metavar="/PATH",
        help="Path under which a proxy shows the page, where it does not take it off.",
    )
    unlock_privacy: bool = option(
        "--unlock-privacy",
        default=False,
        is_flag=True,
        help="Let whoever sees the page switch hide and pixelate off.",
    )
    shapes: str = option(
        "--shapes",
        type=click.Choice(["none", "polygons", "rle"]),
        default="none",
        show_default=True,
        help="What JSON lines tell of each class's area.",
    )
    skip_existing: bool = option(
        "--skip-existing",
        default=False,
        is_flag=True,
        help="Leave out pictures whose results are there already.",
    )
    as_json: bool = option(
        "--json", default=False, is_flag=True, help="Print the summary as JSON."
    )

    @property
    def all_outputs(self) -> tuple[str, ...]:
        """The outputs, with the page that ``--web`` asks for."""
        if self.web is None:
            if self.root_path is not None:
                raise click.UsageError("--root-path: expected --web beside it")
            return self.outputs
        page = f"{WEB_OUTPUT}{self.web}"
        if self.root_path is not None:
            page += f"{'&' if '?' in page else '?'}root_path={quote(self.root_path)}"
        return (*self.outputs, page)

    @property
    def files(self) -> tuple[Path, ...]:
        """Files that are read beside the source's."""
        from edgeseg.runtime.drawing.open_effect import EFFECT_ADDRESSES
        from edgeseg.runtime.model.embedded import sidecar_path

        effect = EFFECT_ADDRESSES.named(self.effect)
        picture = None if effect is None else effect.path
        named = [Path(text) for text in (picture, self.labels) if text is not None]
        return (self.model, sidecar_path(self.model), *named)

    @property
    def capture(self) -> CaptureOptions:
        """What is asked of the source."""
        from edgeseg.runtime.capture.source import CaptureOptions

        rotate = int(self.rotate)
        return CaptureOptions(self.size, self.camera_fps, rotate, wait=self.wait)

    @property
    def look(self) -> Look:
        """How results are drawn."""
        from edgeseg.runtime.drawing.look import Look

        return Look(
            effect=self.effect,
            alpha=self.alpha,
            classes=names_in(self.classes),
            contours=self.contours,
            legend=self.legend,
            statistics=self.statistics,
            inside=names_in(self.inside),
            outside=names_in(self.outside),
            hide_zones=self.hide_zones,
            edges=self.edges,
        )

    @property
    def pipeline(self) -> PipelineOptions:
        """Which frames are segmented, and how."""
        from edgeseg.runtime.pipeline.options import PipelineOptions

        return PipelineOptions(
            every=self.every,
            fps=self.fps,
            frames=self.frames,
            seconds=self.seconds,
            smoothing=self.smooth,
            follow_motion=self.follow_motion,
            region=self.region,
        )
