"""Options of ``edgeseg run`` for zones and lines, each declared once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from edgeseg.runtime.commands.options import option

if TYPE_CHECKING:
    from edgeseg.runtime.zones.line import Line
    from edgeseg.runtime.zones.zone import Zone


class TableParam(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """A text, or in a TOML file a table: a zone or a line.

    Parameters
    ----------
    kind : {"zone", "line"}
        What is made of it.
    """

    def __init__(self, kind: str) -> None:
        self.name = self._kind = kind

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """Return the zone or line."""
        from edgeseg.devices import InputError
        from edgeseg.runtime.zones.declared import line_of, zone_of

        try:
            return zone_of(value) if self._kind == "zone" else line_of(value)
        except InputError as error:
            self.fail(str(error))


def names_in(text: str | None) -> tuple[str, ...]:
    """Return the names in a text with commas between them."""
    return tuple(filter(None, map(str.strip, (text or "").split(","))))


@dataclass(frozen=True, kw_only=True)
class ZoneSettings:
    """Zones and lines, and what is drawn of them."""

    zones: tuple[Zone, ...] = option(
        "--zone",
        default=(),
        multiple=True,
        type=TableParam("zone"),
        metavar="NAME=X,Y X,Y X,Y[;KEY=VALUE]",
        help="Watch this polygon, in pixels or, all at most 1, in fractions; may be "
        "given several times.",
    )
    lines: tuple[Line, ...] = option(
        "--line",
        default=(),
        multiple=True,
        type=TableParam("line"),
        metavar="NAME=X,Y X,Y[;KEY=VALUE]",
        help="Count what crosses this line; may be given several times.",
    )
    inside: str | None = option(
        "--in", metavar="ZONE,ZONE", help="Draw the effect in these zones alone."
    )
    outside: str | None = option(
        "--outside",
        metavar="ZONE,ZONE",
        help="Draw the effect everywhere but in these zones.",
    )
    hide_zones: bool = option(
        "--hide-zones", default=False, is_flag=True, help="Draw no zones and lines."
    )
