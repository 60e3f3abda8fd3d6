"""OpenCV's video reader and writer, kept from writing to standard error.

What fails is told by an exception. FFmpeg inside OpenCV writes a line of its own
besides, from threads of its own; how much is decided when the process first opens a
video, by an environment variable.
"""

from __future__ import annotations

import os
from typing import Any

_ERRORS = 2  # LOG_LEVEL_ERROR of opencv2/core/utils/logger.defines.h


def quiet_opencv() -> Any:
    """Import OpenCV for video and return its module."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET
    import cv2

    # OpenCV 5 has moved it
    where = cv2 if hasattr(cv2, "setLogLevel") else cv2.utils.logging
    where.setLogLevel(_ERRORS)
    return cv2
