"""A function of one's own as a sink for `run_pipeline`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.runtime.output.sink import Sink

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.runtime.capture.source import Capture
    from edgeseg.runtime.segmentation.segmentation import Segmentation


class CallbackSink(Sink):
    """Calls a function with every frame and its classes.

    Parameters
    ----------
    function : callable
        Called in order, in one thread, with the `Capture` and its `Segmentation`,
        neither of which it changes. An error that it raises ends the run. Where it
        returns False, rather than None, the run ends in order.
    """

    def __init__(
        self, function: Callable[[Capture, Segmentation], bool | None]
    ) -> None:
        self._function = function
        self._finished = False

    @property
    def finished(self) -> bool:
        """Whether the function has had enough."""
        return self._finished

    def write(self, capture: Capture, segmentation: Segmentation) -> None:
        """Call the function."""
        self._finished |= self._function(capture, segmentation) is False

    def close(self) -> None:
        """Do nothing: the function's own things are its own."""
