"""OpenCV's video reader and writer, kept from writing to standard error.

What fails is told by an exception. FFmpeg inside OpenCV writes a line of its own
besides, from threads of its own; how much is decided when the process first opens a
video, by an environment variable.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeseg.devices import InputError
from edgeseg.devices._wording import utf8_name

if TYPE_CHECKING:
    from collections.abc import Iterator

_ERRORS = 2  # LOG_LEVEL_ERROR of opencv2/core/utils/logger.defines.h


def quiet_opencv() -> Any:
    """Import OpenCV for video and return its module."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET
    import cv2

    # OpenCV 5 has moved it
    where = cv2 if hasattr(cv2, "setLogLevel") else cv2.utils.logging
    where.setLogLevel(_ERRORS)
    return cv2


@contextmanager
def opencv_name(path: Path) -> Iterator[str]:
    """Yield a name by which OpenCV's video reader or writer opens a file.

    It takes names in UTF-8 whatever the locale is, and ends the process where one is
    none: such a file is opened through a link of another name.

    Parameters
    ----------
    path : Path
        A file that is there, or will be.

    Raises
    ------
    InputError
        No link can be made.
    """
    name = utf8_name(path)
    if name is not None:
        yield name
        return
    try:
        folder = tempfile.TemporaryDirectory(prefix="edgeseg-")
        link = Path(folder.name, "video").with_suffix(path.suffix)
        link.symlink_to(path.absolute())
    except OSError as error:
        raise InputError(
            f"cannot open {path}: its name is no UTF-8, and no link to it can be made "
            f"in a temporary folder: {error.strerror or error}"
        ) from error
    with folder:
        yield str(link)
