"""Shapes that glide along known paths, and a network that finds exactly them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgeseg.devices import TensorSpec
from edgeseg.devices.base import SpecifiedDevice
from edgeseg.runtime import Capture, Manifest, Segmenter, Source

LABELS = ("background", "person", "dog")
PERSON, DOG = 1, 2
_APART = 80  # grey levels between two classes


@dataclass(frozen=True)
class Glider:
    """A box of one class; `path` is its middle: (seconds, x, y), straight between."""

    class_id: int
    size_wh: tuple[int, int]
    path: tuple[tuple[float, float, float], ...]

    def at(self, time_s):
        """Return the middle at a time; None before the path begins and after it."""
        times, xs, ys = zip(*self.path, strict=True)
        if not times[0] <= time_s <= times[-1]:
            return None
        return np.interp(time_s, times, xs), np.interp(time_s, times, ys)


class Gliding(Source):
    """A recording of gliders whose frames say by their brightness what is where.

    Parameters
    ----------
    gliders : sequence of Glider
        Later ones are in front.
    fps, seconds : float
        Of the recording.
    drops : callable
        Takes the number of a frame; whether it is lost.
    size_wh : (int, int)
        Of the frames.
    specks : float
        Share of pixels that show some class at random.
    """

    count = None

    def __init__(
        self, gliders, fps, seconds, *, drops=None, size_wh=(640, 480), specks=0.0
    ):
        self._gliders, self._rate, self._seconds = gliders, fps, seconds
        self._drops, self._size_wh, self._specks = drops, size_wh, specks

    @property
    def fps(self):
        return self._rate

    def captures(self, skip=frozenset()):
        for index in range(int(self._seconds * self._rate)):
            if self._drops is None or not self._drops(index):
                time_s = index / self._rate
                ids = self.ids(time_s, index)
                frame = np.repeat((ids * _APART)[..., None], 3, axis=2)
                yield Capture(frame, f"gliding-{index:05d}", time_s)

    def ids(self, time_s, seed=0):
        """Return the class ids at a time: the truth."""
        width, height = self._size_wh
        ids = np.zeros((height, width), np.uint8)
        for glider in self._gliders:
            middle = glider.at(time_s)
            if middle is not None:
                ids[_part(middle, glider.size_wh, ids.shape)] = glider.class_id
        if self._specks:
            random = np.random.default_rng(seed)
            noisy = random.random(ids.shape) < self._specks
            ids[noisy] = random.integers(0, len(LABELS), noisy.sum())
        return ids


def exact_segmenter(size_wh=(640, 480)):
    """Return a segmenter that reads the classes off such frames."""
    shape = (1, size_wh[1], size_wh[0])
    image = TensorSpec("image", (*shape, 3), "uint8", 1 / 128, 128)
    device = _Reader((image,), (TensorSpec("ids", shape, "int32"),))
    return Segmenter(device, Manifest(labels=LABELS))


class _Reader(SpecifiedDevice):
    """A network in whose output each pixel's class is its brightness."""

    def __init__(self, inputs, outputs):
        self._inputs, self._outputs = inputs, outputs

    def infer(self, *tensors):
        return ((tensors[0][..., 0] // _APART).astype(np.int32),)

    def describe(self):
        return {"device": "reader", "runtime": "none", "version": "", "threads": 0}

    def close(self):
        """Nothing is held."""


def _part(middle, size_wh, shape):
    spans = []
    for place, size, limit in zip(middle, size_wh, shape[::-1], strict=True):
        low = round(place - size / 2)
        spans.append(slice(max(0, low), max(0, min(limit, low + size))))
    return spans[1], spans[0]
