"""Batches, made ahead by threads: the same for the same seed, whoever makes them.

Every picture of every epoch has a generator of its own, seeded by seed, epoch and
place, so that a training that goes on after a kill sees what it would have seen.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgeseg.converter.training.data.augmentation import (
    ZOOM,
    random_colours,
    random_view,
    take_view,
    view_of,
)
from edgeseg.converter.training.data.rare import pixel_of
from edgeseg.converter.training.loss import mixed, one_hot
from edgeseg.runtime.accuracy.dataset import picture_with_truth

if TYPE_CHECKING:
    from collections.abc import Generator

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.converter.training.data.augmentation import View
    from edgeseg.converter.training.data.rare import RareClasses
    from edgeseg.converter.training.teacher import Taught
    from edgeseg.runtime.accuracy.dataset import Dataset

    Batch = tuple[NDArray[np.float32], NDArray[np.float32]]

_AHEAD = 3  # batches that wait for the trainer


@dataclass(frozen=True)
class Targets:
    """The targets of a training: truth, a teacher's probabilities, or both.

    Parameters
    ----------
    class_weights : ndarray
        ``(C,)`` float32.
    teacher : Taught or None
        A model, or its answers, that count too.
    share : float
        What the teacher counts for, 0..1.
    rough : frozenset of str
        Pictures with rough masks.
    rough_share : float
        What the teacher counts for on those.
    every : int
        One row and one column in so many counts: the places of views are random, so
        that every pixel of a picture has its turn, at a fraction of the work.
    """

    class_weights: NDArray[np.float32]
    teacher: Taught | None = None
    share: float = 0.5
    rough: frozenset[str] = field(default_factory=frozenset)
    rough_share: float = 0.5
    every: int = 1

    def target(
        self,
        name: str,
        frame: NDArray[np.uint8],
        ids: NDArray[np.uint8],
        view: View,
        hw: tuple[int, int],
    ) -> NDArray[np.float32]:
        """Return the target ``(h, w, C + 1)`` of a view of a picture of a size."""
        truth = one_hot(ids[:: self.every, :: self.every], self.class_weights)
        if self.teacher is None:
            return truth
        share = self.rough_share if name in self.rough else self.share
        answer = self.teacher.answer(name, frame, view, hw, self.every)
        return mixed(truth, answer, share)


class Batches:
    """Endless batches of a data set, epoch after epoch, each in another order.

    Parameters
    ----------
    dataset : Dataset
        Pictures and truth with the ids to be learnt.
    targets : Targets
        Their targets.
    canvas_hw : (int, int)
        Height and width of the network's input.
    batch : int
        Pictures of a batch; what an epoch leaves over is left out.
    seed : int
        Decides everything that is random.
    workers : int
        Threads that make batches.
    zoom : float
        Largest change of scale; see `random_view`.
    rare : RareClasses or None
        Chooses some of the views by their class.
    """

    def __init__(
        self,
        dataset: Dataset,
        targets: Targets,
        canvas_hw: tuple[int, int],
        *,
        batch: int,
        seed: int,
        workers: int = 2,
        zoom: float = ZOOM,
        rare: RareClasses | None = None,
    ) -> None:
        self._dataset = dataset
        self._targets = targets
        self._canvas_hw = canvas_hw
        self._batch = batch
        self._seed = seed
        self._workers = workers
        self._zoom = zoom
        self._rare = rare

    @property
    def steps(self) -> int:
        """Batches of an epoch."""
        return len(self._dataset.ids) // self._batch

    def stream(self, step: int) -> Generator[Batch, None, None]:
        """Give the batches from a step on, counted from the first epoch's first.

        The threads end with the iterator.
        """
        waiting: deque[Future[Batch]] = deque()
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="batches")
        try:
            while True:
                while len(waiting) < _AHEAD:
                    waiting.append(pool.submit(self.make, step))
                    step += 1
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def make(self, step: int) -> Batch:
        """Return one batch: images ``(N, H, W, 3)`` -1..1, and targets; float32."""
        import numpy as np

        epoch, place = divmod(step, self.steps)
        order = np.random.default_rng((self._seed, epoch)).permutation(
            len(self._dataset.ids)
        )
        pairs = [
            self._example(epoch, index)
            for index in order[place * self._batch : (place + 1) * self._batch]
        ]
        images, targets = zip(*pairs, strict=True)
        frames = np.stack(images).astype(np.float32)
        frames /= 127.5
        frames -= 1
        return frames, np.stack(targets)

    def _example(
        self, epoch: int, index: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        import numpy as np

        rng = np.random.default_rng((self._seed, epoch, int(index), 1))
        class_id = None
        if self._rare is not None and rng.random() < self._rare.share:
            index, class_id = self._rare.draw(rng)
        name = self._dataset.ids[index]
        frame, ids = picture_with_truth(self._dataset, name)
        hw = (ids.shape[0], ids.shape[1])
        if class_id is None:
            view = random_view(rng, hw, self._canvas_hw, self._zoom)
        else:
            pixel = pixel_of(rng, ids, class_id)
            view = view_of(rng, pixel, hw, self._canvas_hw, self._zoom)
        frame, ids = take_view(frame, ids, view, self._canvas_hw)
        frame = random_colours(frame, rng)
        return frame, self._targets.target(name, frame, ids, view, hw)
