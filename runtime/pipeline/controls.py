"""What may be changed from outside while a run goes on: its pause and its look."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeseg.runtime.drawing.look import Look


class RunControls:
    """The pause and the look of a run, for any thread to change.

    Parameters
    ----------
    look : Look
        How pictures are drawn at first.

    Attributes
    ----------
    look : Look
        How pictures are drawn from now on.
    paused : bool
        Whether frames are let go unused: nothing is segmented, nothing is written.
    """

    def __init__(self, look: Look) -> None:
        self.look = look
        self.paused = False
