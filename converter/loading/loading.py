"""How a model file is to be read, and what was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Loading:
    """How to load a model; what a file does not need is left out.

    Parameters
    ----------
    arch : str or None
        The network of a weights-only file, such as ``"deeplabv3plus-xception"``.
    size : (int, int) or None
        Height and width to take pictures of; None is the file's own.
    output_stride : int or None
        Of a weights-only file: 8 or 16.
    resize : str or None
        Alignment of a weights-only file's resizes; None is ``"align-corners"``.
    trust : bool
        Run what code the file holds or names.
    """

    arch: str | None = None
    size: tuple[int, int] | None = None
    output_stride: int | None = None
    resize: str | None = None
    trust: bool = False


@dataclass(frozen=True)
class Loaded:
    """A model as the converter wants it.

    Parameters
    ----------
    model : keras.Model
        Input ``(1, H, W, 3)`` float32, output ``(1, h, w, C)`` scores, C >= 1.
    resize : str or None
        Alignment of the output grid, where the file says it.
    notes : tuple of str
        What a user should know of how it was read.
    """

    model: Any
    resize: str | None = None
    notes: tuple[str, ...] = ()
