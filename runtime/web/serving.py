"""All of the page put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.overlay import colour_table
from edgeseg.runtime.web.app import Pages, make_app
from edgeseg.runtime.web.feed import Feed
from edgeseg.runtime.web.server import Server
from edgeseg.runtime.web.stream import Stream

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from edgeseg.runtime.meter import Meter
    from edgeseg.runtime.sinks import Style
    from edgeseg.runtime.web.address import Address


def serve(address: Address, style: Style, meter: Meter) -> tuple[Feed, Server]:
    """Start a page's server.

    Parameters
    ----------
    address : Address
        Where it listens, and its limits.
    style : Style
        The look at first; its painter is used by the server's thread alone.
    meter : Meter
        Gives the readings.

    Returns
    -------
    feed : Feed
        Takes the frames.
    server : Server
        Listens.

    Raises
    ------
    OutputError
        The address cannot be listened on.
    """
    table = colour_table(style.manifest.palette)
    feed = Feed(style.draw, style.look, table, fps=address.fps, quality=address.quality)

    def application(server: Server) -> ASGIApp:
        def connections() -> int:
            return server.connections

        pages = Pages(feed, meter, style.manifest, table, address, connections)
        stream = Stream(feed, address.streams, server.disconnect)
        return make_app(pages, stream, address)

    return feed, Server(address, feed, application)
