"""What may follow a recording's name: ``?piece=10m&keep=7d&free=1GB&on=person``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.output.recording.amounts import (
    SIZE_WORDS,
    TIME_WORDS,
    seconds,
    share,
    size_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_VIDEO = ("piece", "keep", "free", "on", "area", "before", "after", "audio")
_PICTURE = ("keep", "free", "on", "area", "after", "every")
_EVENT_ONLY = ("area", "before", "after")  # say nothing without `on`
AUDIO = ("copy", "drop")


@dataclass(frozen=True)
class RecordingOptions:
    """How a recording is cut, kept and started.

    Parameters
    ----------
    piece_s, piece_bytes : float or None, int or None
        A piece ends before it is longer or larger.
    keep_s, keep_bytes : float or None, int or None
        Older files of the name are removed, and the oldest while all are larger.
    free_bytes : int or None
        What stays free on the disk; None: the usual.
    on : tuple of str
        Classes; only what happens while one is there is recorded.
    area : float
        Part of the picture that such a class covers at least, 0..1.
    before_s, after_s : float
        Seconds before a class appears, and after it was last there.
    every_s : float
        Seconds between two pictures at least.
    audio : {"copy", "drop"} or None
        None: copied where that can be done.
    """

    piece_s: float | None = None
    piece_bytes: int | None = None
    keep_s: float | None = None
    keep_bytes: int | None = None
    free_bytes: int | None = None
    on: tuple[str, ...] = ()
    area: float = 0.01
    before_s: float = 5.0
    after_s: float = 10.0
    every_s: float = 0.0
    audio: str | None = None

    @property
    def keeps(self) -> bool:
        """Whether old files may be removed."""
        return self.keep_s is not None or self.keep_bytes is not None

    @property
    def cuts(self) -> bool:
        """Whether there are pieces."""
        return self.piece_s is not None or self.piece_bytes is not None


def video_options(texts: Sequence[str]) -> RecordingOptions:
    """Return the options of a video; see `_options`."""
    return _options(texts, _VIDEO)


def picture_options(texts: Sequence[str]) -> RecordingOptions:
    """Return the options of pictures; see `_options`."""
    return _options(texts, _PICTURE)


def _options(texts: Sequence[str], known: tuple[str, ...]) -> RecordingOptions:
    """Return options of ``key=value`` joined by ``&``.

    Raises
    ------
    InputError
        A key or value is none of those; the message says what was expected.
    """
    found: dict[str, object] = {}
    given: set[str] = set()
    for text in (each for group in texts for each in group.split("&")):
        key, _, value = text.partition("=")
        if key not in known:
            raise InputError(f"unknown option {key!r}; known: {', '.join(known)}")
        given.add(key)
        for name, parsed in _parsed(key, value).items():
            if name in found:
                raise InputError(f"{key}: expected one value of a kind, got two")
            found[name] = parsed
    idle = [key for key in _EVENT_ONLY if key in given and "on" not in given]
    if idle:
        raise InputError(f"{idle[0]}: expected on=CLASS beside it, such as on=person")
    return RecordingOptions(**found)  # type: ignore[arg-type]


def _parsed(key: str, value: str) -> dict[str, object]:
    if key in ("piece", "keep"):
        return _either(key, value)
    if key == "free":
        size = size_bytes(value) if value != "0" else 0
        if size is None:
            raise InputError(f"free: expected {SIZE_WORDS}, or 0; got {value!r}")
        return {"free_bytes": size}
    if key == "on":
        names = tuple(filter(None, map(str.strip, value.split(","))))
        if not names:
            raise InputError("on: expected a class such as on=person, got nothing")
        return {"on": names}
    if key == "area":
        return {"area": share("area", value)}
    if key == "audio":
        if value not in AUDIO:
            raise InputError(
                f"audio: expected one of {', '.join(AUDIO)}; got {value!r}"
            )
        return {"audio": value}
    time_s = seconds(value)
    if time_s is None:
        raise InputError(f"{key}: expected {TIME_WORDS}; got {value!r}")
    return {f"{key}_s": time_s}


def _either(key: str, value: str) -> dict[str, object]:
    """Return a time or a size, which is more than nothing."""
    time_s, size = seconds(value), size_bytes(value)
    found = {f"{key}_s": time_s} if time_s is not None else {f"{key}_bytes": size}
    if not any(found.values()):
        raise InputError(
            f"{key}: expected {TIME_WORDS}, or {SIZE_WORDS}; got {value!r}"
        )
    return dict(found)
