"""The error of a run some of whose pictures could not be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeseg.runtime.capture.source import Source
    from edgeseg.runtime.pipeline.tally import Tally


class UnreadError(InputError):
    """Some pictures of a source could not be read; all others are done.

    Parameters
    ----------
    failures : sequence of str
        One line each.
    tally : Tally
        What was done.
    """

    def __init__(self, failures: Sequence[str], tally: Tally) -> None:
        count = len(failures)
        self.failures, self.tally = tuple(failures), tally
        self.summary = (
            f"{count} of {tally.done + count} pictures could not be read, the others "
            "are done"
        )
        more = f" (and {count - 1} more)" if count > 1 else ""
        super().__init__(f"{self.summary}: {failures[0]}{more}")


def raise_failures(source: Source, tally: Tally) -> None:
    """Raise what became of a run's source.

    Raises
    ------
    UnreadError
        Some of its pictures could not be read.
    InputError
        It gave nothing.
    """
    if source.failures:
        raise UnreadError(source.failures, tally)
    if not tally.done and not tally.skipped:
        raise InputError("the source gave no pictures")
