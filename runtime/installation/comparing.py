"""How a new model answers, and how fast, beside the one that it is to replace."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgeseg.devices import InputError
from edgeseg.runtime.model.labels import same_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from edgeseg.devices.types import Json
    from edgeseg.runtime.segmentation.segmenter import Segmenter

    Frame = NDArray[np.uint8]
    # the class ids of a picture by its name and frame
    Answers = Callable[[str, Frame], NDArray[np.uint8]]

_IDS = 256
_TIMED_PICTURES = 5
_PASSES_MS = 6000.0  # that one round of timing aims at, both models together
_LEAST, _MOST = 10, 100  # timings of each model in a round
_CLEARLY = 2.0  # so much over the limit is no chance
_ROUNDS = 3  # a machine that is busy with other things makes a round say anything


@dataclass(frozen=True)
class Agreement:
    """How many labels two models have in common.

    Parameters
    ----------
    pictures : int
        That were compared.
    pixels, equal : int
        Pixels of those, and pixels whose classes have one name.
    """

    pictures: int
    pixels: int
    equal: int

    @property
    def share(self) -> float:
        """Of the pixels, 0..1."""
        return self.equal / self.pixels


@dataclass(frozen=True)
class Latency:
    """The 90th percentiles of two models' times from picture to class ids.

    Parameters
    ----------
    new_ms, old_ms : float
        Milliseconds.
    count : int
        Timings of each.
    """

    new_ms: float
    old_ms: float
    count: int

    @property
    def ratio(self) -> float:
        """The new one's time as a multiple of the old one's."""
        return self.new_ms / self.old_ms

    def to_dict(self) -> Json:
        """Return JSON values."""
        values = {"new_p90_ms": self.new_ms, "old_p90_ms": self.old_ms}
        return {k: round(v, 2) for k, v in values.items()} | {"timings": self.count}


def compare_labels(
    pictures: Iterable[tuple[str, Frame]],
    first: Answers,
    first_labels: Sequence[str],
    second: Answers,
    second_labels: Sequence[str],
) -> Agreement:
    """Count the pixels that two models give a class of the same name.

    Parameters
    ----------
    pictures : iterable of (str, ndarray)
        Names and frames ``(H, W, 3)`` uint8 RGB.
    first, second : callable
        Give class ids ``(H, W)`` uint8 of a picture.
    first_labels, second_labels : sequence of str
        Names by class id; an id without one has its number for a name.

    Raises
    ------
    InputError
        There is no picture, or answers differ in size.
    """
    tables = _common_numbers(first_labels, second_labels)
    count = pixels = equal = 0
    for name, frame in pictures:
        ids = first(name, frame), second(name, frame)
        if ids[0].shape != ids[1].shape:
            raise InputError(
                f"expected label maps of one size of {name}, got {ids[0].shape} and "
                f"{ids[1].shape}: is it the same picture?"
            )
        same = tables[0][ids[0]] == tables[1][ids[1]]
        count, pixels, equal = count + 1, pixels + same.size, equal + int(same.sum())
    if not pixels:
        raise InputError("expected pictures to compare labels on, got none")
    return Agreement(count, pixels, equal)


def compare_times(
    frames: Sequence[Frame], new: Segmenter, old: Segmenter, slower: float
) -> Latency:
    """Time two models in turns, on the same pictures.

    What the machine does beside it slows both. A round that says that the new one is
    a little too slow is repeated: it has to be so in each of three.

    Parameters
    ----------
    frames : sequence of ndarray
        Pictures ``(H, W, 3)`` uint8 RGB.
    new, old : Segmenter
        The models.
    slower : float
        The multiple of the old one's time that is allowed.
    """
    frames = list(itertools.islice(frames, _TIMED_PICTURES))
    found = []
    for _ in range(_ROUNDS):
        found.append(_round(frames, new, old))
        if found[-1].ratio <= slower or found[-1].ratio > _CLEARLY * slower:
            break
    return min(found, key=lambda each: each.ratio)


def _round(frames: Sequence[Frame], new: Segmenter, old: Segmenter) -> Latency:
    models = new, old
    warm_ms = sum(_timed_ms(model, frames[0]) for model in (*models, *models)) / 2
    count = int(np.clip(_PASSES_MS / max(warm_ms, 0.1), _LEAST, _MOST))
    spent: tuple[list[float], list[float]] = ([], [])
    for number in range(count):
        frame = frames[number % len(frames)]
        order = (0, 1) if number % 2 else (1, 0)
        for place in order:
            spent[place].append(_timed_ms(models[place], frame))
    new_ms, old_ms = (float(np.percentile(each, 90)) for each in spent)
    return Latency(new_ms, old_ms, count)


def _timed_ms(model: Segmenter, frame: Frame) -> float:
    start = time.perf_counter()
    model.segment(frame)
    return 1000 * (time.perf_counter() - start)


def _common_numbers(
    first: Sequence[str], second: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each model a number by class id, the same where names are."""
    numbers: dict[str, int] = {}
    tables = []
    for labels in (first, second):
        names = [same_name(label) for label in labels]
        names += [f"class {i}" for i in range(len(labels), _IDS)]
        tables.append(
            np.array([numbers.setdefault(name, len(numbers)) for name in names])
        )
    return tables[0], tables[1]
