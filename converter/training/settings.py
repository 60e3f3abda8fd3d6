"""Everything that decides what comes out of a training."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeseg.converter.training.schedule import SHAPES
from edgeseg.converter.training.start.network import Network
from edgeseg.converter.training.start.start import NOTHING
from edgeseg.devices import InputError

if TYPE_CHECKING:
    from edgeseg.devices.types import Json

EPOCHS = 20  # where neither epochs nor minutes are given
# Settings that change how fast a training goes, and not what it learns
_FREE = ("threads", "workers", "save_minutes", "device")


@dataclass(frozen=True)
class Pictures:
    """What to learn from, and what to judge by; see `open_splits`.

    Parameters
    ----------
    root : Path
        Folder of the data set.
    split, val_split : str
        Lists of pictures.
    val_root : Path or None
        Folder to validate on, if another.
    labels : str or None
        What the masks' ids are.
    classes : tuple of str or None
        Classes to learn, in the order of their new ids; the others are background.
    limit, val_limit : int or None
        Pictures to take.
    """

    root: Path
    split: str = "train"
    val_root: Path | None = None
    val_split: str = "val"
    labels: str | None = None
    classes: tuple[str, ...] | None = None
    limit: int | None = None
    val_limit: int | None = None


@dataclass(frozen=True)
class Teaching:
    """A model whose answers count beside the truth.

    Parameters
    ----------
    model : Path or None
        A ``.tflite`` file or a Keras model; None trains on the truth alone.
    labels : str or None
        Its classes.
    share : float
        What it counts for where there is truth, 0..1.
    rough : Path or None
        A list of pictures whose masks are rough.
    rough_share : float
        What it counts for on those.
    """

    model: Path | None = None
    labels: str | None = None
    share: float = 0.5
    rough: Path | None = None
    rough_share: float = 0.8


@dataclass(frozen=True)
class Settings:
    """A whole training.

    Parameters
    ----------
    start : str
        A weights file, a Keras model, or ``"none"``.
    pictures : Pictures
        The data.
    start_labels : str or None
        Classes of the start.
    network : Network
        What the start leaves open.
    teaching : Teaching
        A teacher.
    epochs : int or None
        Times that every picture is seen; None is 20, or what `minutes` allow.
    minutes : float or None
        Time that the training may take on this machine.
    batch : int
        Pictures of a step.
    rate, new_rate : float
        Largest learning rates of what was learnt before, and of new layers.
    schedule : {"poly", "cosine"}
        How rates fall.
    weight_decay, clip_norm : float
        See `rated_adamw`.
    average : bool
        Validate and keep the running average of the weights.
    balance : bool
        Weigh classes by the inverse root of their share.
    freeze_until : str or None
        Last layer that stays as it is.
    validate_every : int
        Epochs between validations.
    save_minutes : float
        Most that a kill can cost.
    seed : int
        Of all that is random.
    device : {"auto", "cpu", "gpu"}
        Where to train.
    threads : int or None
        Of the processor; None takes all.
    workers : int
        Threads that make batches.
    trust : bool
        Run code that the start's file holds.
    int8 : Path or None
        Photos to calibrate with; the training then goes through the rounding of int8.
    """

    start: str
    pictures: Pictures
    start_labels: str | None = None
    network: Network = field(default_factory=Network)
    teaching: Teaching = field(default_factory=Teaching)
    epochs: int | None = None
    minutes: float | None = None
    batch: int = 8
    rate: float = 3e-5
    new_rate: float = 1e-3
    schedule: str = "poly"
    weight_decay: float = 1e-4
    clip_norm: float = 5.0
    average: bool = True
    balance: bool = False
    freeze_until: str | None = None
    validate_every: int = 1
    save_minutes: float = 5.0
    seed: int = 0
    device: str = "auto"
    threads: int | None = None
    workers: int = 2
    trust: bool = False
    int8: Path | None = None

    def check(self) -> None:
        """Raise `InputError` on what can be told wrong without loading anything."""
        if self.schedule not in SHAPES:
            raise InputError(
                f"--schedule must be one of {', '.join(SHAPES)}; got {self.schedule!r}"
            )
        if self.start != NOTHING and not Path(self.start).exists():
            raise InputError(
                f"cannot read the start {self.start}: no such file; 'none' trains "
                "from nothing"
            )
        if self.start == NOTHING and self.int8 is not None:
            raise InputError("--int8 needs a trained start: --from none has nothing")
        if self.teaching.model is None and self.teaching.rough is not None:
            raise InputError("--rough needs --teacher: whom to ask instead?")

    def to_dict(self) -> Json:
        """Return JSON values."""
        values: Json = _plain(dataclasses.asdict(self))
        return values

    def identity(self) -> Json:
        """Return what a training that goes on must have in common with its first part.

        Nested settings are laid flat, so that a message can name the one that differs.
        """
        flat: Json = {}
        for key, value in self.to_dict().items():
            if isinstance(value, dict):
                flat |= {f"{key}.{inner}": entry for inner, entry in value.items()}
            elif key not in _FREE:
                flat[key] = value
        return flat


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return str(value.absolute()) if isinstance(value, Path) else value
