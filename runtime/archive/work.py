"""What an archive's actors are given and what they give back: plain values."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgeseg.devices.plain_text import encodable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from edgeseg.devices.types import Json
    from edgeseg.runtime.model.manifest import Manifest

_MOST_BYTES = 32 << 20  # of a batch's files
_MOST_PICTURES = 128  # of a batch: about a second, which is lost with its actor
FRAMES = 128  # of a video, in a batch


@dataclass(frozen=True)
class Item:
    """A picture, or a video from one of its frames on.

    Parameters
    ----------
    name : str
        Path without suffix that results are named after. Those of a video's frames
        end in the frame's number: ``clip_000012``.
    place : str
        The file's path, or its URL.
    is_video : bool
        Whether it is one.
    size : int
        Bytes of the file; 0 where that is not known.
    first : int
        The first frame of a video that is to be done.
    most : int or None
        Frames of a video from its beginning that are of interest; None for all.
    """

    name: str
    place: str
    is_video: bool = False
    size: int = 0
    first: int = 0
    most: int | None = None


@dataclass(frozen=True)
class Batch:
    """What an actor does at a time.

    Parameters
    ----------
    items : tuple of Item
        Pictures, or one video.
    deaths : int
        How many processes have died over it.
    """

    items: tuple[Item, ...]
    deaths: int = 0


@dataclass(frozen=True)
class Unread:
    """What could not be read.

    Parameters
    ----------
    name, source : str
        Of the picture or video.
    reason : str
        Why, in a line.
    """

    name: str
    source: str
    reason: str


@dataclass(frozen=True)
class Done:
    """What became of a batch.

    Parameters
    ----------
    rows : list of dict
        One a picture or frame, see `edgeseg.runtime.archive.areas_table`.
    unread : tuple of Unread
        What has no row.
    rest : Item or None
        What is left of a video.
    busy_s : float
        Seconds that it took.
    """

    rows: list[Json]
    unread: tuple[Unread, ...] = ()
    rest: Item | None = None
    busy_s: float = 0.0


@dataclass(frozen=True)
class Sample:
    """Which names belong to a sample; the same ones whenever it is asked.

    Parameters
    ----------
    share : float
        Of all names, 0..1.

    Examples
    --------
    >>> some = Sample(0.5)
    >>> [name for name in "abcdef" if some.has(name)]
    ['b', 'c', 'd', 'e', 'f']
    """

    share: float = 1.0

    def has(self, name: str) -> bool:
        """Return whether a name belongs to it."""
        return self.share >= 1 or rank(name) < self.share


@dataclass(frozen=True)
class Job:
    """What every actor needs to know; it travels to other machines.

    Parameters
    ----------
    model : bytes
        Content of the model file, which other machines need not have.
    model_name : str
        Its name, whose suffix says what it is.
    manifest : Manifest
        How to feed it and how to read its output.
    output : str
        Absolute path of the output folder, which all machines share.
    key : str
        SHA-256 of the file there that says which job it is.
    folder : str
        Where relative paths begin.
    device : str
        Device string.
    threads : int
        Of an inference.
    output_name : str or None
        Of a model with several outputs, the one to read.
    overlays : bool
        Whether overlays are written too.
    sample : Sample
        Which frames of videos are done.
    """

    model: bytes
    model_name: str
    manifest: Manifest
    output: str
    key: str
    folder: str
    device: str = "auto"
    threads: int = 1
    output_name: str | None = None
    overlays: bool = False
    sample: Sample = field(default_factory=Sample)


def rank(name: str) -> float:
    """Return a number in 0..1 that a name has, as if drawn by chance."""
    digest = hashlib.sha256(encodable(name).encode()).digest()
    return int.from_bytes(digest[:6], "big") / math.pow(2, 48)


def batches_of(items: Iterable[Item]) -> Iterator[Batch]:
    """Yield batches that are small by bytes and by number; a video is one alone.

    Examples
    --------
    >>> three = [Item("a", "a.jpg", size=9), Item("b", "b.mp4", True), Item("c", "c")]
    >>> [[item.name for item in batch.items] for batch in batches_of(three)]
    [['b'], ['a', 'c']]
    """
    taken: list[Item] = []
    size = 0
    for item in items:
        if item.is_video:
            yield Batch((item,))
            continue
        if taken and (size + item.size > _MOST_BYTES or len(taken) == _MOST_PICTURES):
            yield Batch(tuple(taken))
            taken, size = [], 0
        taken.append(item)
        size += item.size
    if taken:
        yield Batch(tuple(taken))
