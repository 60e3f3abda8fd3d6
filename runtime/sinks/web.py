"""A live page: ``web:``, ``web:HOST:PORT``, ``web:0.0.0.0:8080?token=...``."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.output.sink import Sink
from edgeseg.runtime.pipeline.meter import Meter
from edgeseg.runtime.web.address import WebAddress
from edgeseg.runtime.web.open_tiles import missing_web

if TYPE_CHECKING:
    from edgeseg.devices.types import Json
    from edgeseg.runtime.capture.source import Capture
    from edgeseg.runtime.output.sink import Style
    from edgeseg.runtime.segmentation.segmenter import Segmentation
    from edgeseg.runtime.web.feed import PageFeed
    from edgeseg.runtime.web.server import WebServer

_log = logging.getLogger(__name__)


class WebSink(Sink):
    """Shows the newest frame in browsers; see `edgeseg.runtime.web`.

    Parameters
    ----------
    text : str
        ``HOST:PORT`` with options after ``?``; see `Address.from_text`. Port 0 takes
        a free one, `url` has it.
    style : Style
        Labels and colours, the look at first, and the meter.

    Raises
    ------
    InputError
        The text is malformed, or a token is missing.
    OutputError
        The address cannot be used, as port 80 by a user without rights. A port that
        is in use is waited for.
    MissingDriverError
        The extra ``web`` is not installed.
    """

    def __init__(self, text: str, style: Style) -> None:
        address = WebAddress.from_text(text, os.environ)
        meter = style.meter or Meter()
        # without a run's meter, what is written is counted here
        self._own_meter = meter if style.meter is None else None
        # a copy has a painter of its own: this one is used by the server's thread
        self._feed, self._server = _serve(address, replace(style, meter=meter), meter)
        if self.url is not None:
            _log.info("the page is at %s", self.url)

    @property
    def url(self) -> str | None:
        """The page's address, without a token; None while its port is waited for."""
        return self._server.url if self._server.state["connected"] else None

    @property
    def state(self) -> Json:
        """Whether the page can be opened, and its ``url``; see `Sink.state`."""
        return {**self._server.state, "url": self.url}

    @property
    def live(self) -> bool:
        """Frames that come faster than they can be shown are left out."""
        return True

    def write(self, capture: Capture, segmentation: Segmentation) -> None:
        """Take one frame as the newest; never waits."""
        self._feed.publish(capture, segmentation)
        if self._own_meter is not None:
            self._own_meter.add(capture, segmentation)

    def check(self) -> None:
        """Raise `OutputError` if the server has failed."""
        self._server.check()

    def close(self) -> None:
        """Stop the server, whoever is connected."""
        self._server.close()


def _serve(
    address: WebAddress, style: Style, meter: Meter
) -> tuple[PageFeed, WebServer]:
    try:
        from edgeseg.runtime.web.server import serve
    except ImportError as error:
        raise missing_web(error) from error
    return serve(address, style, meter)


ADDRESS = AddressKind(Rest.NETWORK, options="?", extra="web")
PLUGIN = WebSink
