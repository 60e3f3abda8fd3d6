"""A command's arguments taken apart here and put together for the board."""

from __future__ import annotations

from typing import Any

import click


class CommandLine:
    """Arguments of one of edgeseg's commands, checked as the command itself does.

    Parameters
    ----------
    command : click.Command
        ``bench``, ``eval`` or ``run``.
    name : str
        What usage errors call it.
    arguments : sequence of str
        As they were typed.

    Raises
    ------
    click.UsageError
        The command does not take them.

    Examples
    --------
    >>> import click
    >>> quick = click.Option(["--quick"], is_flag=True)
    >>> command = click.Command("c", params=[click.Argument(["model"]), quick])
    >>> line = CommandLine(command, "c", ["--quick", "a b"])
    >>> line["model"] = "there/a b"
    >>> line.arguments()
    ['there/a b', '--quick']
    """

    def __init__(
        self, command: click.Command, name: str, arguments: tuple[str, ...] | list[str]
    ) -> None:
        self._command = command
        context = command.make_context(name, list(arguments))
        self._typed: dict[str, Any] = command.make_parser(context).parse_args(
            list(arguments)
        )[0]

    def __getitem__(self, name: str) -> Any:
        """Return what was typed for a parameter, None where nothing was."""
        value = self._typed.get(name)
        # click marks what is missing, or an option without its value, by objects
        return value if isinstance(value, (str, list, tuple, bool)) else None

    def __setitem__(self, name: str, value: Any) -> None:
        """Replace it."""
        self._typed[name] = value

    def __contains__(self, name: str) -> bool:
        """Tell whether a parameter was typed, even without a value."""
        return name in self._typed

    def arguments(self) -> list[str]:
        """Return the arguments: positional ones, then options."""
        positional: list[str] = []
        options: list[str] = []
        for param in self._command.params:
            name = str(param.name)
            if isinstance(param, click.Argument):
                positional += _values(self[name])
            elif name in self._typed:
                options += self._option(param, name)
        return [*positional, *options]

    def _option(self, param: click.Parameter, name: str) -> list[str]:
        option = next(text for text in param.opts if text.startswith("--"))
        value = self[name]
        if value is None or isinstance(value, bool):
            return [option]
        return [f"{option}={text}" for text in _values(value)]


def _values(value: Any) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)
