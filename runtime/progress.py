"""Progress of long work on standard error."""

from __future__ import annotations

import shutil
import sys

import click

from edgeseg.devices._wording import plain

_EVERY = 100  # steps between lines where there is no terminal


class OverwrittenLine:
    """A line that a terminal shows in place of the one before; elsewhere a line more.

    How often to write where there is no terminal is left to the caller.
    """

    def __init__(self) -> None:
        self.is_terminal = sys.stderr.isatty()

    def write(self, text: str) -> None:
        """Show a text."""
        text = plain(text)
        if self.is_terminal:
            # a longer text takes two lines, of which only one can be written over
            text = text[: max(shutil.get_terminal_size().columns - 1, 1)]
            click.echo(f"\r\x1b[K{text}", nl=False, err=True)
        else:
            click.echo(text, err=True)

    def end(self) -> None:
        """Remove the line."""
        if self.is_terminal:
            click.echo("\r\x1b[K", nl=False, err=True)


class ProgressLine:
    """Steps that are done: a line on a terminal, one now and then elsewhere.

    Parameters
    ----------
    total : int or None
        Steps in all, where that is known.
    """

    def __init__(self, total: int | None) -> None:
        self._of = f"/{total}" if total else ""
        self._total = total
        self._line = OverwrittenLine()

    def show(self, done: int, text: str = "pictures") -> None:
        """Tell how many steps are done."""
        if self._line.is_terminal or done % _EVERY == 0:
            self._line.write(f"{done}{self._of} {text}")

    def end(self) -> None:
        """Remove the line."""
        self._line.end()
