"""The page of several cameras from its string, such as ``0.0.0.0:8080``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from edgeseg.devices import MissingDriverError
from edgeseg.runtime.web.address import WebAddress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeseg.runtime.output.sink import Style
    from edgeseg.runtime.pipeline.meter import Meter
    from edgeseg.runtime.web.tiles import TilesServer


def open_tiles(text: str, cameras: Mapping[str, tuple[Style, Meter]]) -> TilesServer:
    """Start the server of a page with a tile for each camera.

    Parameters
    ----------
    text : str
        As `WebAddress.from_text` takes it.
    cameras : mapping of str to (Style, Meter)
        By name.

    Raises
    ------
    InputError
        The text is malformed, or a token is missing.
    OutputError
        The address cannot be used.
    MissingDriverError
        The extra ``web`` is not installed.
    """
    address = WebAddress.from_text(text, os.environ)
    try:
        from edgeseg.runtime.web.tiles import TilesServer
    except ImportError as error:
        raise missing_web(error) from error
    return TilesServer(address, cameras)


def missing_web(error: ImportError) -> Exception:
    """Return what to raise where the page's packages cannot be imported."""
    if (error.name or "").startswith("edgeseg"):
        return error  # our own bug, not a missing package
    return MissingDriverError(
        f"sink 'web' needs the package {error.name!r}, which is not installed: "
        "pip install 'edgeseg[web]'"
    )
