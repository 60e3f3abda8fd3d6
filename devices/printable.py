"""Text from elsewhere (a file, a board, a server), made fit to be shown."""

from __future__ import annotations

import re

LONGEST = 400  # characters: some five lines of a terminal

# what a terminal acts on instead of showing it: control characters (C0, DEL, C1),
# separators of lines and marks that turn the direction of text (Unicode, UAX 9); and
# halves of surrogate pairs, which no stream can encode
_ACTS = "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_IN_A_LINE = re.compile(f"[{_ACTS}]")
_IN_A_TEXT = re.compile(f"(?![\n\t])[{_ACTS}]")


def printable(text: str, limit: int = LONGEST) -> str:
    r"""Return a text as one line of bounded length that a terminal only shows.

    Parameters
    ----------
    text : str
        Any text.
    limit : int
        How many characters are shown, at least 5. Of a longer text the middle is left
        out: a reason stands first or last.

    Examples
    --------
    >>> printable("cannot\n  open \x1b[2Jit")
    'cannot open \\x1b[2Jit'
    >>> printable("0123456789" * 3, limit=15)
    '01234 ... 56789'
    """
    shown = _IN_A_LINE.sub(_escaped, " ".join(text.split()))
    if len(shown) <= limit:
        return shown
    half = (limit - 5) // 2
    return f"{shown[:half]} ... {shown[len(shown) - half :]}"


def printable_lines(text: str) -> str:
    r"""Return a text that a terminal only shows: its lines and tabs stay.

    Examples
    --------
    >>> printable_lines("one\r\ntwo\t\x1b]0;title\x07\n")
    'one\ntwo\t\\x1b]0;title\\x07\n'
    """
    return _IN_A_TEXT.sub(_escaped, text.replace("\r\n", "\n"))


def is_printable(text: str) -> bool:
    r"""Return whether a text has nothing that a terminal acts on.

    Examples
    --------
    >>> is_printable("Müller's 猫.png"), is_printable("a\x1b[2J"), is_printable("a\nb")
    (True, False, False)
    """
    return _IN_A_LINE.search(text) is None


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
