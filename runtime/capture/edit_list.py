"""How long an MP4 or MOV file plays, where its edit list hides frames.

Programs that cut without encoding anew keep the frames back to the last key frame, and
write an edit list that tells players not to show them. The count of frames in the file
is then larger than what any player shows.

References
----------
ISO/IEC 14496-12, "ISO base media file format": 8.2.2 ``mvhd``, 8.4.3 ``hdlr``,
8.6.6 ``elst``.
"""

from __future__ import annotations

import struct
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MOST = 4096  # boxes in a row, and entries of a list: damaged files may claim any
_Span = tuple[int, int]  # first byte, and the one after the last


def shown_seconds(path: Path) -> float | None:
    """Return how long the first video track plays by its edit list.

    Parameters
    ----------
    path : Path
        Any file.

    Returns
    -------
    float or None
        Seconds; None where there is no edit list, or the file is none of these.
    """
    try:
        with path.open("rb") as file:
            return _shown(file)
    except (OSError, struct.error):
        return None


def _shown(file: IO[bytes]) -> float | None:
    end = file.seek(0, 2)
    movie = _first(file, (0, end), b"moov")
    header = movie and _first(file, movie, b"mvhd")
    if movie is None or header is None:
        return None
    version = _unpack(file, header[0], ">B")[0]
    (scale,) = _unpack(file, header[0] + (20 if version else 12), ">I")
    for kind, track in _boxes(file, movie):
        if kind == b"trak" and _handles(file, track) == b"vide":
            ticks = _ticks(file, track)
            return ticks / scale if ticks and scale else None
    return None


def _handles(file: IO[bytes], track: _Span) -> bytes | None:
    media = _first(file, track, b"mdia")
    handler = media and _first(file, media, b"hdlr")
    if handler is None:
        return None
    file.seek(handler[0] + 8)
    return file.read(4)


def _ticks(file: IO[bytes], track: _Span) -> int:
    """Return the length of all edits that show something."""
    edits = _first(file, track, b"edts")
    found = edits and _first(file, edits, b"elst")
    if found is None:
        return 0
    version, count = _unpack(file, found[0], ">B3xI")
    layout = ">Qq4x" if version else ">Ii4x"
    ticks, size = 0, struct.calcsize(layout)
    for index in range(min(count, _MOST)):
        length, begins = _unpack(file, found[0] + 8 + index * size, layout)
        ticks += length if begins >= 0 else 0  # -1: nothing is shown, as before audio
    return ticks


def _first(file: IO[bytes], span: _Span, kind: bytes) -> _Span | None:
    return next((inner for name, inner in _boxes(file, span) if name == kind), None)


def _boxes(file: IO[bytes], span: _Span) -> Iterator[tuple[bytes, _Span]]:
    """Yield kind and content of the boxes in a part of a file."""
    at, end = span
    for _ in range(_MOST):
        if at + 8 > end:
            return
        (size,), kind = _unpack(file, at, ">I"), file.read(4)
        head = 8
        if size == 1:
            head = 16
            (size,) = _unpack(file, at + 8, ">Q")
        elif size == 0:
            size = end - at
        if size < head:
            return
        yield kind, (at + head, min(at + size, end))
        at += size


def _unpack(file: IO[bytes], at: int, layout: str) -> tuple[int, ...]:
    file.seek(at)
    values: tuple[int, ...] = struct.unpack(layout, file.read(struct.calcsize(layout)))
    return values
