"""The network that a training changes, and where its weights came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Network:
    """Which network to train; a file that holds its network needs none of it.

    Parameters
    ----------
    size : (int, int) or None
        Height and width of the input; None is the file's own.
    output_stride : {8, 16}
        Of the deepest features.
    decoder : bool
        DeepLabv3+; weights without a decoder get one that changes nothing at first.
    decoder_width, low_width : int
        Channels of a new decoder, and of its low features.
    width_multiplier : float
        Of a MobileNetV2 that is trained from nothing.
    """

    size: tuple[int, int] | None = None
    output_stride: int = 16
    decoder: bool = True
    decoder_width: int = 96
    low_width: int = 32
    width_multiplier: float = 1.0


@dataclass(frozen=True)
class Start:
    """A network of batch 1 with its weights for the new classes.

    Parameters
    ----------
    model : keras.Model
        Input ``(1, H, W, 3)`` float32 -1..1, output ``(1, h, w, C)`` logits.
    new_layers : frozenset of str
        Layers that know nothing yet and take large steps.
    settled : bool
        Batch norms have statistics of their own, which must stay as they are.
    notes : tuple of str
        What was copied, added or assumed.
    resize : str or None
        Alignment of the output's grid, where the file says it.
    rounded : bool
        It rounds as int8 does; see `through_int8`.
    """

    model: Any
    new_layers: frozenset[str]
    settled: bool
    notes: tuple[str, ...] = field(default=())
    resize: str | None = None
    rounded: bool = False
