"""The options of ``edgeseg run``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

import click

from edgeseg.runtime.commands.config import config_option
from edgeseg.runtime.commands.options import add_options

if TYPE_CHECKING:
    from collections.abc import Callable

_F = TypeVar("_F", bound="Callable[..., Any]")

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


def source_options(function: _F) -> _F:
    """Add --size, --camera-fps, --rotate and --wait."""
    return add_options(
        function,
        click.option(
            "--size",
            type=FrameSizeParam(),
            help="Size that a camera is asked for; files keep their own.",
        ),
        click.option(
            "--camera-fps",
            type=click.FloatRange(0, 1000, min_open=True),
            help="Frames a second that a camera is asked for.",
        ),
        click.option(
            "--rotate",
            type=click.Choice(["0", "90", "180", "270"]),
            default="0",
            show_default=True,
            help="Turn frames clockwise by so many degrees.",
        ),
        click.option(
            "--wait",
            is_flag=True,
            help="Wait for a camera or stream that is not there yet.",
        ),
    )


def look_options(function: _F) -> _F:
    """Add --effect, --classes, --alpha, --contours, --legend and --statistics."""
    return add_options(
        function,
        click.option(
            "--effect",
            default="overlay",
            show_default=True,
            metavar="EFFECT",
            help="What is made of a frame: NAME or NAME:REST, such as blur:31.",
        ),
        click.option(
            "--classes",
            metavar="A,B,C",
            help="Classes that are to be seen.  [default: all but background]",
        ),
        click.option(
            "--alpha",
            type=click.FloatRange(0, 1),
            default=0.5,
            show_default=True,
            help="Strength of the overlay's tint.",
        ),
        click.option("--contours", is_flag=True, help="Draw the borders of areas."),
        click.option(
            "--legend", is_flag=True, help="Write the names of the classes found."
        ),
        click.option(
            "--statistics",
            is_flag=True,
            help="Write frames a second, latency and age.",
        ),
    )


def pipeline_options(function: _F) -> _F:
    """Add what chooses frames: --every, --fps, --frames, --seconds, and the rest."""
    return add_options(
        function,
        click.option(
            "--every",
            type=click.IntRange(min=1),
            default=1,
            show_default=True,
            help="Segment one frame of so many.",
        ),
        click.option(
            "--fps",
            type=click.FloatRange(0, 1000, min_open=True),
            help="Segment at most so many frames a second; a video written of a "
            "file plays at true speed.",
        ),
        click.option(
            "--frames", type=click.IntRange(min=1), help="End after so many frames."
        ),
        click.option(
            "--seconds",
            type=click.FloatRange(0, min_open=True),
            help="End after so many seconds, of a video its own.",
        ),
        click.option(
            "--smooth",
            type=click.FloatRange(0, 1, max_open=True),
            default=0.0,
            show_default=True,
            help="How much of the frames before stays, against flicker: 0.5, or "
            "0.7 for a model that gives class ids instead of scores.",
        ),
        click.option(
            "--region",
            type=RegionParam(),
            help="Segment this part of each frame, in pixels or, all at most 1, in "
            "fractions.",
        ),
    )


def run_options(function: _F) -> _F:
    """Add all options that only ``edgeseg run`` has, but for its outputs."""
    own = (
        click.option(
            "--web",
            is_flag=False,
            flag_value=WEB,
            metavar="[HOST:PORT]",
            help=f"Show the run in a browser; alone on {WEB}.",
        ),
        click.option(
            "--shapes",
            type=click.Choice(["none", "polygons", "rle"]),
            default="none",
            show_default=True,
            help="What JSON lines tell of each class's area.",
        ),
        click.option(
            "--skip-existing",
            is_flag=True,
            help="Leave out pictures whose results are there already.",
        ),
        click.option(
            "--json", "as_json", is_flag=True, help="Print the summary as JSON."
        ),
        config_option,
    )
    return source_options(look_options(pipeline_options(add_options(function, *own))))
