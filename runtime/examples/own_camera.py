"""Frames from a camera that edgeseg does not know: here OpenCV's, in BGR.

``python -m edgeseg.runtime.examples.own_camera 0`` or, in place of the number, a file.
"""

import sys
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeseg.runtime import (
    CallbackSink,
    Capture,
    FrameSource,
    Segmentation,
    Segmenter,
    run_pipeline,
)


def frames(camera: cv2.VideoCapture) -> Iterator[NDArray[np.uint8]]:
    """Give the frames of a camera in RGB until it has no more."""
    while True:
        there, frame = camera.read()
        if not there:
            return
        # edgeseg cannot see that a frame is BGR: it would find less, and say nothing
        yield np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8)


def main(place: str) -> None:
    """Print what is seen in each frame."""
    is_live = place.isdigit()
    camera = cv2.VideoCapture(int(place)) if is_live else cv2.VideoCapture(place)

    def report(capture: Capture, result: Segmentation) -> None:
        found = [
            f"{result.labels[blob.class_id]} {blob.area}" for blob in result.blobs()
        ]
        print(capture.name, ", ".join(found) or "-", flush=True)

    segmenter = Segmenter.open("animals")
    run_pipeline(
        FrameSource(frames(camera), live=is_live), segmenter, [CallbackSink(report)]
    )
    camera.release()


if __name__ == "__main__":
    main(*sys.argv[1:])
