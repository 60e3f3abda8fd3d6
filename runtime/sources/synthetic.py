"""Drawn scenes with known truth: ``synthetic:`` or ``synthetic:640x480,frames=30``.

With ``live`` they come in real time, as a camera's would.

Discs, squares and triangles, each with a colour of its own, drift over a soft,
noisy background. The same options give the same pictures on every machine, so a
set-up can be tried without a camera and scored without a data set.
"""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.address import AddressKind, Rest
from edgeseg.runtime.capture.source import AS_IT_COMES, Capture, CaptureOptions, Source
from edgeseg.runtime.capture.upright import rotated

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

LABELS = ("background", "disc", "square", "triangle")
_FPS = 25.0
_SHAPES = 5  # shapes in a scene
_LIMIT = 8192  # pixels a side
_FRAMES = 50
# Scenes that a live source shows over and over: drawing takes longer than a frame
# lasts. Large ones are fewer, to keep within 200 megapixels.
_DRAWN = 12
_DRAWN_PIXELS = 200_000_000


class SyntheticSource(Source):
    """Scenes of moving shapes.

    Parameters
    ----------
    text : str
        Comma-separated: ``WIDTHxHEIGHT`` (default 320x240), ``frames=N`` (50),
        ``seed=N`` (0), ``fps=N`` (25), ``still`` (every frame a new scene instead of
        motion) and ``live`` (in real time, without end unless ``frames`` are given).
    options : CaptureOptions
        Size and rate where the text gives none, and the rotation.

    Raises
    ------
    InputError
        An option is not one of these.
    """

    def __init__(self, text: str = "", options: CaptureOptions = AS_IT_COMES) -> None:
        self._width, self._height = options.size_wh or (320, 240)
        self._fps, self._rotate = options.fps or _FPS, options.rotate
        self._count: int | None = None
        self._seed = 0
        self._still = self._live = False
        self._stopped = threading.Event()
        self._dropped = 0
        for option in filter(None, text.split(",")):
            self._set(option)
        # drawn before anybody's clock runs
        self._scenes = [self.scene(index)[0] for index in range(self._ahead())]

    def _set(self, option: str) -> None:
        size = re.fullmatch(r"(\d+)x(\d+)", option)
        value = re.fullmatch(r"(frames|seed|fps)=(\d+)", option)
        if size and all(8 <= int(n) <= _LIMIT for n in size.groups()):
            self._width, self._height = (int(n) for n in size.groups())
        elif value and value[1] == "frames" and int(value[2]) > 0:
            self._count = int(value[2])
        elif value and value[1] == "seed":
            self._seed = int(value[2])
        elif value and value[1] == "fps" and 0 < int(value[2]) <= 1000:
            self._fps = float(value[2])
        elif option == "still":
            self._still = True
        elif option == "live":
            self._live = True
        else:
            raise InputError(
                f"synthetic: expected WIDTHxHEIGHT (8..{_LIMIT}), frames=N, seed=N, "
                f"fps=N, still or live, got {option!r}"
            )

    @property
    def count(self) -> int | None:
        """Number of frames asked for; None without end."""
        return self._count if self._live else self._count or _FRAMES

    @property
    def fps(self) -> float:
        """Frames a second, 25 unless asked for others."""
        return self._fps

    @property
    def live(self) -> bool:
        """Whether frames come in real time."""
        return self._live

    @property
    def dropped(self) -> int:
        """How many frames of a live scene were due while nobody took one."""
        return self._dropped

    def stop(self) -> None:
        """End `captures`."""
        self._stopped.set()

    def names(self) -> tuple[str, ...]:
        """Return ``scene_000000`` and so on; nothing where there is no end."""
        return tuple(_name(index) for index in range(self.count or 0))

    def captures(self, skip: frozenset[str] = frozenset()) -> Iterator[Capture]:
        """Give the frames."""
        frames = self._in_real_time() if self._live else self._in_turn(skip)
        for index, frame in frames:
            if self._stopped.is_set():
                return
            if _name(index) not in skip:
                yield Capture(
                    rotated(frame, self._rotate), _name(index), index / self._fps
                )

    def _ahead(self) -> int:
        """Return how many scenes of a live source are drawn at the start."""
        if not self._live:
            return 0
        fits = max(2, _DRAWN_PIXELS // (self._width * self._height))
        return min(_DRAWN, fits, self._count or _DRAWN)

    def _in_turn(self, skip: frozenset[str]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        for index, name in enumerate(self.names()):
            if name not in skip:
                yield index, self.scene(index)[0]

    def _in_real_time(self) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Give frames when they are due; what is due meanwhile is left out."""
        started = time.monotonic()
        index = 0
        while self._count is None or index < self._count:
            due = started + index / self._fps
            if self._stopped.wait(max(0.0, due - time.monotonic())):
                return
            yield index, self._scenes[_there_and_back(index, len(self._scenes))]
            due_now = int((time.monotonic() - started) * self._fps)
            self._dropped += max(0, due_now - index - 1)
            index = max(index + 1, due_now)

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


def _name(index: int) -> str:
    return f"scene_{index:06d}"


def _there_and_back(index: int, count: int) -> int:
    """Return the place in a row that is gone through forwards and backwards."""
    place = index % max(1, 2 * count - 2)
    return place if place < count else 2 * count - 2 - place


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


ADDRESS = AddressKind(Rest.TEXT, options=",")
PLUGIN = SyntheticSource
