"""Secrets in files: read whole, and a word to the user where others can read them."""

from __future__ import annotations

import logging
import os
import re
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.plain_files import check_file_or_folder
from edgeseg.devices.plain_text import reason_of

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST = 4096  # bytes of a secret
_SECRET = re.compile(r"://[^/\s?#:@]*:([^/\s?#]+)@|[?&](?:view_)?token=([^&\s]+)")
_log = logging.getLogger(__name__)


def read_secret(text: str, what: str) -> str:
    """Return the first line of a file that holds a secret.

    Parameters
    ----------
    text : str
        Path. A relative one is looked for in the folder of the service's credentials
        first, which systemd names in ``CREDENTIALS_DIRECTORY``.
    what : str
        What the secret is, for messages.

    Raises
    ------
    InputError
        It cannot be read, is empty or too long, or every user may change it.
    """
    path = _place(text)
    check_file_or_folder(path)
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST + 1)
    except OSError as error:
        raise InputError(f"cannot read the {what} in {path}: {reason_of(error)}") from (
            error
        )
    check_private(path, what)
    lines = content.splitlines()
    if not lines or not lines[0] or len(content) > _LONGEST:
        raise InputError(
            f"{path}: expected the {what} in the first line, of 1 to {_LONGEST} bytes"
        )
    try:
        return lines[0].decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: expected the {what} in UTF-8") from error


def check_private(path: Path, what: str) -> None:
    """Warn where other users can read a file that holds a secret.

    Parameters
    ----------
    path : Path
        The file; one that is not there is private.
    what : str
        What it holds, for messages.

    Raises
    ------
    InputError
        Every user may change it.
    """
    check_unshared(path)
    if _mode_of(path) & stat.S_IROTH:
        _log.warning(
            "every user of this machine can read %s, which holds the %s: chmod 600 %s",
            path,
            what,
            path,
        )


def check_unshared(path: Path) -> None:
    """Raise `InputError` where every user may change a file; one not there is none."""
    if _mode_of(path) & stat.S_IWOTH:
        raise InputError(
            f"every user of this machine may change {path}: chmod 600 {path}"
        )


def secrets_in(texts: Iterable[str]) -> list[str]:
    """Return the passwords and tokens that addresses hold.

    Examples
    --------
    >>> secrets_in(["rtsp://eve:s3cret@door/1", "web:?fps=5&token=abcdefgh", "a.png"])
    ['s3cret', 'abcdefgh']
    """
    return [
        next(filter(None, found)) for text in texts for found in _SECRET.findall(text)
    ]


def warn_of_shown_secrets(texts: Iterable[str]) -> None:
    """Warn where this process's command line holds a secret of these addresses."""
    if any(secret in word for secret in secrets_in(texts) for word in sys.argv[1:]):
        _log.warning(
            "every user of this machine can read the command line, which holds a "
            "password or token: name it in a file for --config, or in the environment"
        )


def _mode_of(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError:
        return 0


def _place(text: str) -> Path:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if folder and not os.path.isabs(text) and Path(folder, text).exists():
        return Path(folder, text)
    return Path(text)
