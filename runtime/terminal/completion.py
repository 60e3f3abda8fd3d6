"""What a shell offers behind ``edgeseg`` when the tab key is pressed."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import click

    Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

MODEL_SUFFIXES = (".tflite", ".onnx", ".keras", ".h5", ".hdf5")


def complete_file(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Leave it to the shell, which knows files best."""
    return [CompletionItem(incomplete, type="file")]


def complete_words(words: Callable[[], Iterable[str]]) -> Complete:
    """Return a completion with some words, and with files where none of them fits.

    Parameters
    ----------
    words : callable
        Returns them; called when they are needed.
    """

    def complete(
        ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        fitting = [word for word in words() if word.startswith(incomplete)]
        if not fitting:
            return complete_file(ctx, param, incomplete)
        return [CompletionItem(word) for word in fitting]

    return complete


def model_items(incomplete: str, names: Iterable[str]) -> list[CompletionItem]:
    """Return names of models that fit, and the models and folders beside them.

    A shell that is given a word does not look for files any more, so that they have
    to be listed here; where no name fits it is left to the shell.
    """
    fitting = [name for name in names if name.startswith(incomplete)]
    if not fitting:
        return [CompletionItem(incomplete, type="file")]
    files = {name for name in _models() if name.startswith(incomplete)}
    return [CompletionItem(word) for word in (*fitting, *sorted(files - {*fitting}))]


def _models() -> list[str]:
    """Return models and folders here; shells split names with spaces."""
    try:
        entries = [entry for entry in os.scandir() if not entry.name.startswith(".")]
    except OSError:
        return []
    names = [
        f"{entry.name}/" if entry.is_dir() else entry.name
        for entry in entries
        if entry.is_dir() or entry.name.endswith(MODEL_SUFFIXES)
    ]
    return [name for name in names if not re.search(r"\s", name)]
