"""A scene with known truth: people and a cat cut out of photos glide over a ground."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime import Segmenter

SIZE_WH = (640, 480)
_NOISE = 4.0  # grey levels of the sensor


@dataclass(frozen=True)
class Cutout:
    """What a network found of one class in a photo, on nothing.

    Parameters
    ----------
    picture : ndarray
        ``(H, W, 3)`` uint8 RGB, cropped to the thing.
    opacity : ndarray
        ``(H, W)`` float32, 0..1.
    centroid : (float, float)
        Mean x and y of the thing in the picture.
    """

    picture: NDArray[np.uint8]
    opacity: NDArray[np.float32]
    centroid: tuple[float, float]


@dataclass(frozen=True)
class Actor:
    """A cut-out and where its centroid is: (seconds, x, y), straight between.

    Parameters
    ----------
    cutout : Cutout
        What is seen.
    path : sequence of (float, float, float)
        It is there from the first time to the last.
    """

    cutout: Cutout
    path: Sequence[tuple[float, float, float]]


def cut_out(
    segmenter: Segmenter, photo: NDArray[np.uint8], label: str, height: int
) -> Cutout:
    """Return the largest thing of a class in a photo, scaled to a height in pixels."""
    import cv2
    import numpy as np

    segmentation = segmenter.segment(photo)
    largest = segmentation.blobs([label])[0]
    left, top, wide, high = largest.box
    part = slice(top, top + high), slice(left, left + wide)
    mask = (segmentation.ids[part] == largest.class_id).astype(np.float32)
    size_wh = round(wide * height / high), height
    opacity = cv2.resize(mask, size_wh, interpolation=cv2.INTER_AREA)
    picture = cv2.resize(photo[part], size_wh, interpolation=cv2.INTER_AREA)
    moments = cv2.moments((opacity > 0.5).view(np.uint8), binaryImage=True)
    middle = moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
    return Cutout(
        np.asarray(picture, np.uint8), np.asarray(opacity, np.float32), middle
    )


def frame_at(
    actors: Sequence[Actor], time_s: float, random: np.random.Generator
) -> NDArray[np.uint8]:
    """Return the frame of a time with noise: ``(480, 640, 3)`` uint8 RGB."""
    import numpy as np

    width, height = SIZE_WH
    down = np.linspace(150, 90, height, dtype=np.float32)[:, None, None]
    scene = np.broadcast_to(down, (height, width, 3)).copy()
    scene[height * 2 // 3 :] *= (0.9, 1.0, 0.8)  # a ground below a wall
    for actor in actors:
        times, xs, ys = zip(*actor.path, strict=True)
        if times[0] <= time_s < times[-1]:
            place = np.interp(time_s, times, xs), np.interp(time_s, times, ys)
            _put(scene, actor.cutout, (float(place[0]), float(place[1])))
    scene += random.normal(0, _NOISE, scene.shape)
    return scene.clip(0, 255).astype(np.uint8)


def _put(
    scene: NDArray[np.float32], cutout: Cutout, place: tuple[float, float]
) -> None:
    """Draw a cut-out with its centroid at a place, all of it within the scene."""
    left = round(place[0] - cutout.centroid[0])
    top = round(place[1] - cutout.centroid[1])
    high, wide = cutout.opacity.shape
    x, y = max(0, left), max(0, top)
    right, bottom = min(scene.shape[1], left + wide), min(scene.shape[0], top + high)
    inside = slice(y - top, bottom - top), slice(x - left, right - left)
    opacity = cutout.opacity[inside][..., None]
    part = scene[y:bottom, x:right]
    part += opacity * (cutout.picture[inside] - part)
