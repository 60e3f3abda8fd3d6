"""Drawn scenes with known truth: ``synthetic:`` or ``synthetic:640x480,frames=30``.

Discs, squares and triangles, each with a colour of its own, drift over a soft,
noisy background. The same options give the same pictures on every machine, so a
set-up can be tried without a camera and scored without a data set.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.sources._base import Capture, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

LABELS = ("background", "disc", "square", "triangle")
_FPS = 25.0
_SHAPES = 5  # shapes in a scene
_LIMIT = 8192  # pixels a side


class SyntheticSource(Source):
    """Scenes of moving shapes.

    Parameters
    ----------
    text : str
        Comma-separated: ``WIDTHxHEIGHT`` (default 320x240), ``frames=N`` (50),
        ``seed=N`` (0) and ``still`` (every frame a new scene instead of motion).

    Raises
    ------
    InputError
        An option is not one of these.
    """

    def __init__(self, text: str = "") -> None:
        self._width, self._height, self._count, self._seed = 320, 240, 50, 0
        self._still = False
        for option in filter(None, text.split(",")):
            self._set(option)

    def _set(self, option: str) -> None:
        size = re.fullmatch(r"(\d+)x(\d+)", option)
        value = re.fullmatch(r"(frames|seed)=(\d+)", option)
        if size and all(8 <= int(n) <= _LIMIT for n in size.groups()):
            self._width, self._height = (int(n) for n in size.groups())
        elif value and value[1] == "frames" and int(value[2]) > 0:
            self._count = int(value[2])
        elif value and value[1] == "seed":
            self._seed = int(value[2])
        elif option == "still":
            self._still = True
        else:
            raise InputError(
                f"synthetic: expected WIDTHxHEIGHT (8..{_LIMIT}), frames=N, seed=N or "
                f"still, got {option!r}"
            )

    @property
    def count(self) -> int:
        """Number of frames asked for."""
        return self._count

    @property
    def fps(self) -> float:
        """25 frames a second."""
        return _FPS

    def names(self) -> tuple[str, ...]:
        """Return ``scene_000000`` and so on."""
        return tuple(f"scene_{index:06d}" for index in range(self._count))

    def captures(self, skip: frozenset[str] = frozenset()) -> Iterator[Capture]:
        """Give the frames."""
        for index, name in enumerate(self.names()):
            if name not in skip:
                yield Capture(self.scene(index)[0], name, index / _FPS)

    def scene(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Return one frame and its truth.

        Parameters
        ----------
        index : int
            Number of the frame.

        Returns
        -------
        frame, ids : ndarray
            ``(H, W, 3)`` uint8 RGB and ``(H, W)`` uint8, ids into `LABELS`.
        """
        import numpy as np

        layout = (self._seed, index) if self._still else (self._seed,)
        step = 0 if self._still else index
        rng = np.random.default_rng(layout)
        hw = (self._height, self._width)
        frame = _background(rng, hw)
        ids = np.zeros(hw, np.uint8)
        for _ in range(_SHAPES):
            _draw_shape(frame, ids, rng, step)
        grain = np.random.default_rng((self._seed, index, 1)).normal(0, 6, frame.shape)
        return np.clip(frame + grain, 0, 255).astype(np.uint8), ids


def _background(rng: np.random.Generator, hw: tuple[int, int]) -> NDArray[np.float64]:
    """Return a smooth mixture of four corner colours, never saturated."""
    import numpy as np

    corners = rng.uniform(60, 190, (2, 2, 3))
    down = np.linspace(0, 1, hw[0])[:, None, None]
    across = np.linspace(0, 1, hw[1])[None, :, None]
    top = corners[0, 0] * (1 - across) + corners[0, 1] * across
    bottom = corners[1, 0] * (1 - across) + corners[1, 1] * across
    mixed: NDArray[np.float64] = top * (1 - down) + bottom * down
    return mixed


def _draw_shape(
    frame: NDArray[np.float64],
    ids: NDArray[np.uint8],
    rng: np.random.Generator,
    step: int,
) -> None:
    """Draw one shape into the frame and its id into the truth."""
    import numpy as np

    height, width = ids.shape
    class_id = int(rng.integers(1, len(LABELS)))
    radius = min(height, width) * rng.uniform(0.1, 0.22)
    start, drift = rng.uniform(0, 1, 2), rng.uniform(-0.02, 0.02, 2)
    centre = _bounce(start + drift * step) * (height, width)
    colour = rng.uniform(0, 255, 3)
    y, x = np.ogrid[:height, :width]
    dy, dx = (y - centre[0]) / radius, (x - centre[1]) / radius
    if class_id == 1:
        inside = dy**2 + dx**2 <= 1
    elif class_id == 2:
        inside = (abs(dy) <= 0.85) & (abs(dx) <= 0.85)
    else:
        inside = (dy <= 0.75) & (dy >= 2.2 * abs(dx) - 1.1)
    stripes = 1 + 0.15 * np.sin(6 * (dy + dx))
    frame[inside] = (colour * stripes[..., None])[inside]
    ids[inside] = class_id


def _bounce(position: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return positions reflected into 0..1."""
    import numpy as np

    folded: NDArray[np.float64] = np.abs((position + 1) % 2 - 1)
    return folded


PLUGIN = SyntheticSource
