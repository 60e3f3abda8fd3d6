"""Pictures out of a ``multipart/x-mixed-replace`` stream, friendly or hostile.

A part's length is known from its ``Content-Length``, else from the next boundary.
Where the stream names no boundary, the JPEGs are found by their own markers.

References
----------
RFC 2046, section 5.1: multipart media types.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.capture import jpeg as _jpeg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PART_LIMIT = 16 << 20  # bytes of one picture; 8192x8192 in good quality has about 10 MB
_HEADER_LIMIT = 8 << 10
_CHUNK = 64 << 10
_LONGEST_LINE = 256  # bytes of a boundary, which RFC 2046 limits to 70
_BLANK = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,12})[ \t]*\r?$", re.I | re.M)


class PartReader:
    """Takes a stream apart.

    Parameters
    ----------
    receive : callable
        Gives up to N bytes of the stream; none at its end.
    boundary : str or None
        As the stream's ``Content-Type`` gives it. Cameras disagree on whether the
        two dashes before each boundary belong to it, so dashes do not count.
    """

    def __init__(
        self, receive: Callable[[int], bytes], boundary: str | None = None
    ) -> None:
        self._receive = receive
        token = (boundary or "").strip().strip('"').strip("-").encode()
        self._line = re.compile(rb"--+" + re.escape(token) + rb"(?:--)?[ \t]*\r?\n")
        self._marked = bool(token)
        self._data = bytearray()

    def parts(self) -> Iterator[bytes]:
        """Give the bodies of the parts, one by one, until the stream ends.

        Raises
        ------
        InputError
            A part or what is between two of them passes its limit.
        """
        while True:
            part = self._part() if self._marked else self._picture()
            if part is None:
                return
            if part:
                yield part

    def _part(self) -> bytes | None:
        """Return the next part's body, with what is before it skipped."""
        line = self._search(self._line, PART_LIMIT, "boundary")
        if line is None:
            return None
        self._cut(line.end() - 1)  # its line feed may be half of the blank line
        blank = self._search(_BLANK, _HEADER_LIMIT, "end of a part's headers")
        if blank is None:
            return None
        header = self._cut(blank.end())
        length = _LENGTH.search(header)
        if length is None:
            return self._until_boundary()
        if int(length[1]) > PART_LIMIT:
            raise InputError(f"a part of {int(length[1])} bytes is announced")
        return self._take(int(length[1]))

    def _until_boundary(self) -> bytes | None:
        line = self._search(self._line, PART_LIMIT, "boundary")
        return None if line is None else self._cut(line.start())

    def _picture(self) -> bytes | None:
        """Return the next JPEG, by its markers."""
        while (start := self._data.find(_jpeg.START)) < 0:
            del self._data[:-1]
            if not self._fill(PART_LIMIT, "picture"):
                return None
        del self._data[:start]
        at, complete = _jpeg.walk(self._data)
        while not complete:
            if not self._fill(PART_LIMIT, "end of a JPEG"):
                return None
            at, complete = _jpeg.walk(self._data, at)
        return self._cut(at)

    def _search(
        self, what: re.Pattern[bytes], limit: int, name: str
    ) -> re.Match[bytes] | None:
        """Receive until a pattern is there; None where the stream ends before."""
        searched = 0
        while not (found := what.search(self._data, searched)):
            searched = max(0, len(self._data) - _LONGEST_LINE)
            if not self._fill(limit, name):
                return None
        return found

    def _take(self, count: int) -> bytes | None:
        while len(self._data) < count:
            if not self._fill(PART_LIMIT + _CHUNK, "end of a part"):
                return None
        return self._cut(count)

    def _cut(self, count: int) -> bytes:
        cut = bytes(self._data[:count])
        del self._data[:count]
        return cut

    def _fill(self, limit: int, name: str) -> bool:
        """Receive more; say whether there was more."""
        if len(self._data) > limit:
            raise InputError(f"no {name} within {limit >> 10} KiB")
        more = self._receive(_CHUNK)
        self._data += more
        return bool(more)
