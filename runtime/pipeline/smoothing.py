"""Less flicker: the scores of a frame are mixed with those of the frames before."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Array
    from edgeseg.runtime.model.head import Head
    from edgeseg.runtime.pipeline.motion import Motion

# a class that has this weight nowhere any more is forgotten
_FORGOTTEN = 0.01


class Smoother:
    """Keeps an exponential moving average of a model's output.

    Scores are averaged as they are. Class ids are averaged as weights, one plane for
    each class of late, and the heaviest wins: amounts up to 0.5 change nothing there,
    as the newest frame weighs more than all before. After `reset`, which another
    `Scene` asks for, everything starts anew, so that no old picture shines through.
    Told how the picture has moved, the frames before are moved as it was, and what is
    no longer to be seen there does not count.

    Parameters
    ----------
    amount : float
        Share of the frames before, 0..1, below 1.
    head : Head
        How to read the output.
    """

    def __init__(self, amount: float, head: Head) -> None:
        self._amount = amount
        self._is_ids = head.kind == "labels"
        self._channel_axis = head.channel_axis
        self._scores: NDArray[np.float32] | None = None
        self._weights: dict[int, NDArray[np.float32]] = {}

    def reset(self) -> None:
        """Forget all frames."""
        self._scores = None
        self._weights = {}

    def smooth(self, output: Array, motion: Motion | None = None) -> Array:
        """Return an output of the same shape in which the frames before count.

        Parameters
        ----------
        output : ndarray
            The model's output, left as it is.
        motion : Motion or None
            How the picture has moved; None takes the frames before where they were.

        Returns
        -------
        ndarray
            float32 scores in the unit of the stored ones, or uint8 class ids. The
            memory is that of every call.
        """
        if self._is_ids:
            return self._ids(output, motion)
        return self._mixed(output, motion)

    def _mixed(self, output: Array, motion: Motion | None) -> NDArray[np.float32]:
        import numpy as np

        if self._scores is None or self._scores.shape != output.shape:
            self._scores = output.astype(np.float32)
            return self._scores
        if motion is not None:
            keep = self._amount * motion.trust
            planes = self._planes(self._scores), self._planes(output)
            for before, now in zip(*planes, strict=True):
                before[:] = keep * motion.follow(before) + (1 - keep) * now
            return self._scores
        self._scores *= self._amount
        self._scores += np.multiply(output, 1 - self._amount, dtype=np.float32)
        return self._scores

    def _planes(self, output: Array) -> Array:
        """Return a view ``(C, h, w)`` of an output."""
        import numpy as np

        planes: Array = np.moveaxis(output, self._channel_axis, 1)[0]
        return planes

    def _ids(self, output: Array, motion: Motion | None) -> Array:
        import numpy as np

        if output.min() < 0 or output.max() > 255:
            return output  # no class ids: whoever reads them says so
        ids = output.astype(np.uint8).reshape(-1, output.shape[2])
        self._weigh(ids, motion)
        (best_id, best), *others = self._weights.items()
        answer, heaviest = np.full_like(ids, best_id), best.copy()
        for class_id, weight in others:
            wins = weight > heaviest
            answer[wins] = class_id
            np.maximum(heaviest, weight, out=heaviest)
        return answer.reshape(output.shape)

    def _weigh(self, ids: NDArray[np.uint8], motion: Motion | None) -> None:
        """Move every class's weights towards where the frame has it."""
        import cv2
        import numpy as np

        is_first = not self._weights
        present = {int(i) for i in np.unique(ids)}
        for class_id in present - set(self._weights):
            self._weights[class_id] = np.zeros(ids.shape, np.float32)
        keep = 0.0 if is_first else self._amount
        for class_id, weight in list(self._weights.items()):
            here = (ids == class_id).view(np.uint8)
            if motion is None:
                cv2.accumulateWeighted(here, weight, 1 - keep)
            else:
                share = keep * motion.trust
                weight[:] = share * motion.follow(weight) + (1 - share) * here
            if class_id not in present and weight.max() < _FORGOTTEN:
                del self._weights[class_id]
