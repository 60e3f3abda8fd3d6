"""Where edgeseg keeps what it can make again."""

from __future__ import annotations

import os
from pathlib import Path

from edgeseg.devices._errors import OutputError


def cache_folder() -> Path:
    """Return the folder in the user's cache (XDG Base Directory Specification).

    Raises
    ------
    OutputError
        There is no home folder, as of users without a name in some containers.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        return Path(cache).expanduser() / "edgeseg"
    except RuntimeError as error:
        raise OutputError(
            "this user has no home folder to keep things in: set XDG_CACHE_HOME"
        ) from error
