"""The page of one run: its feed, and what the server answers by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.drawing.overlay import colour_table
from edgeseg.runtime.web.app import Pages
from edgeseg.runtime.web.feed import PageFeed
from edgeseg.runtime.web.stream import MultipartStream

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Scope

    from edgeseg.runtime.output.sink import Style
    from edgeseg.runtime.pipeline.meter import Meter
    from edgeseg.runtime.web.address import WebAddress


class RunPage:
    """Takes the frames of a run, and answers for it.

    Parameters
    ----------
    style : Style
        The look at first; its painter is used by the server's thread alone.
    meter : Meter
        Gives the readings.
    address : WebAddress
        Gives the limits.
    """

    def __init__(self, style: Style, meter: Meter, address: WebAddress) -> None:
        self.meter = meter
        self._style, self._address = style, address
        self._table = colour_table(style.manifest.palette)
        self.feed = PageFeed(
            style.draw,
            style.look,
            self._table,
            fps=address.fps,
            quality=address.quality,
        )

    def answers(
        self, connections: Callable[[], int], disconnect: Callable[[Scope], None]
    ) -> tuple[Pages, MultipartStream]:
        """Return what answers to the paths of the page.

        Parameters
        ----------
        connections, disconnect : callable
            Of the server: see `WebServer.connections`, `WebServer.disconnect`.
        """
        pages = Pages(
            self.feed,
            self.meter,
            self._style,
            self._table,
            self._address,
            connections,
        )
        stream = MultipartStream(self.feed, self._address.streams, disconnect)
        return pages, stream
