"""Standard output and standard error that show any text, whatever their encoding."""

from __future__ import annotations

import codecs
import io
import sys

from edgeseg.devices._wording import encodable

_HANDLER = "edgeseg-escape"


def show_any_text() -> None:
    r"""Let this process's output escape what it cannot show, instead of failing.

    A name that is no UTF-8 is shown as `encodable` has it, a character that the
    terminal's encoding lacks as ``\u`` and its number. Where the encoding is ASCII,
    which a missing locale means, UTF-8 is written.
    """
    codecs.register_error(_HANDLER, _escaped)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            is_ascii = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding="utf-8" if is_ascii else None, errors=_HANDLER)


def _escaped(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = encodable(error.object[error.start : error.end])
    return text.encode(error.encoding, "backslashreplace"), error.end
