"""The contract of an effect: what is made of a frame whose classes are known."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


# how the border of a subject may run: where the picture has an edge, smoothly along
# the border of the class ids, or exactly on it; the first is the default
EDGES = ("guided", "smooth", "hard")


@dataclass(frozen=True)
class Scene:
    """A frame, its classes, and which of them count.

    Parameters
    ----------
    frame : ndarray
        ``(H, W, 3)`` uint8 RGB.
    ids : ndarray
        ``(H, W)`` uint8 class ids.
    shown : ndarray
        ``(256,)`` bool: the class ids that are to be seen; background is not one of
        them unless asked for by name.
    colours : ndarray
        ``(256, 3)`` uint8 RGB, one a class id.
    alpha : float
        Strength of a tint, 0..1.
    edges : {"guided", "smooth", "hard"}
        How the border between subject and background runs; see `matte`.
    """

    frame: NDArray[np.uint8]
    ids: NDArray[np.uint8]
    shown: NDArray[np.bool_]
    colours: NDArray[np.uint8]
    alpha: float = 0.5
    edges: str = EDGES[0]

    @property
    def mask(self) -> NDArray[np.bool_]:
        """``(H, W)`` bool: the pixels of the classes that are to be seen."""
        picked: NDArray[np.bool_] = self.shown[self.ids]
        return picked


@dataclass(frozen=True)
class Strength:
    """The whole number that may follow an effect's name, as a slider shows it.

    Parameters
    ----------
    label : str
        What the number is, such as ``"Strength"``.
    low, high : int
        The least and the largest one.
    default : int
        The one that is meant where none follows.
    """

    label: str
    low: int
    high: int
    default: int


class Effect(ABC):
    """Makes one picture of a scene.

    ``PLUGIN(text)`` takes what follows the effect's name in its string, such as
    ``31`` in ``blur:31``, or raises `InputError`; ``ADDRESS`` says what that is. With
    ``Rest.NOTHING`` the text is empty. An effect keeps no frame, changes
    none, and may be used by one thread at a time.

    The page for browsers shows an effect by what its class declares: `title`, and what
    can be set of it.
    """

    # the name in lists; if empty, that of the plugin
    title: ClassVar[str] = ""
    # the number that may follow the effect's name, if one may
    strength: ClassVar[Strength | None] = None
    # whether ``#RRGGBB`` follows the name
    takes_colour: ClassVar[bool] = False
    # whether the picture depends on `Scene.alpha`
    tints: ClassVar[bool] = False
    # whether it is there for privacy: a page then leaves it and its classes as they are
    private: ClassVar[bool] = False
    # whether a pixel of the picture depends on nothing but that pixel of the scene, so
    # that bands of rows may be drawn one by one
    pointwise = False

    def __init__(self, text: str = "") -> None:
        super().__init__()

    @abstractmethod
    def draw(self, scene: Scene) -> NDArray[np.uint8]:
        """Return a new picture ``(H, W, 3)`` uint8 RGB, or ``(H, W, 4)`` with alpha."""
