"""A window on the screen: ``window``, or ``window:SINK`` for another GStreamer sink."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, OutputError
from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.output.streaming import StreamingSink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeseg.runtime.output.sink import Style


class WindowSink(StreamingSink):
    """Shows what is drawn, through a GStreamer child: pip's OpenCV has no windows.

    Parameters
    ----------
    text : str
        Empty for the window system in use, or a GStreamer video sink, such as
        ``kmssink`` for a screen without one.
    style : Style
        How to draw.
    """

    def __init__(self, text: str, style: Style) -> None:
        if text and not re.fullmatch("[a-zA-Z][a-zA-Z0-9-]*", text):
            raise InputError(
                f"expected a GStreamer video sink after window:, such as kmssink, got "
                f"{text!r}"
            )
        shown = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
        if not text and not shown:
            raise InputError(
                "cannot open a window: no screen here (neither DISPLAY nor "
                "WAYLAND_DISPLAY is set); use web: to watch in a browser, or "
                "window:kmssink on a screen without a window system"
            )
        sink = f"{text or 'autovideosink'} sync=false"
        super().__init__(sink, style, f"window:{text}" if text else "window")
        self._finished = False

    @property
    def finished(self) -> bool:
        """Whether the user has closed the window, which ends the run in order."""
        return self._finished

    def check(self) -> None:
        """Raise what the child has failed with; a closed window is no failure."""
        with self._closing_is_fine():
            super().check()

    def close(self) -> None:
        """Close the window."""
        with self._closing_is_fine():
            super().close()

    @contextmanager
    def _closing_is_fine(self) -> Iterator[None]:
        try:
            yield
        except OutputError as error:
            if not re.search("window was closed", str(error), re.IGNORECASE):
                raise
            self._finished = True


ADDRESS = AddressKind(Rest.TEXT)
PLUGIN = WindowSink
