"""Progress of long work on standard error."""

from __future__ import annotations

import sys

import click

_EVERY = 100  # steps between lines where there is no terminal


class ProgressLine:
    """One line that is written over on a terminal, a line now and then elsewhere.

    Parameters
    ----------
    total : int or None
        Steps in all, where that is known.
    """

    def __init__(self, total: int | None) -> None:
        self._of = f"/{total}" if total else ""
        self._total = total
        self._is_terminal = sys.stderr.isatty()

    def show(self, done: int, text: str = "pictures") -> None:
        """Tell how many steps are done."""
        line = f"{done}{self._of} {text}"
        if self._is_terminal:
            click.echo(f"\r\x1b[K{line}", nl=False, err=True)
        elif done % _EVERY == 0:
            click.echo(line, err=True)

    def end(self) -> None:
        """Remove the line."""
        if self._is_terminal:
            click.echo("\r\x1b[K", nl=False, err=True)
