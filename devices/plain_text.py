"""Text from elsewhere (a file, a board, a server), made fit to be shown."""

from __future__ import annotations

import os
import re

LONGEST = 400  # characters: some five lines of a terminal

# terminal sequences: CSI, OSC (title, link) and the two-character ones (ECMA-48)
_SEQUENCES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)")
# control characters, line and paragraph separators, and what turns text around
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_BYTES = re.compile("[\udc80-\udcff]+")  # what os.fsdecode makes of undecodable bytes
_HALVES = re.compile("[\ud800-\udfff]")
_GAP = " ... "
# what a terminal acts on instead of showing it: control characters (C0, DEL, C1),
# separators of lines and marks that turn the direction of text (Unicode, UAX 9); and
# halves of surrogate pairs, which no stream can encode
_ACTS = "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_IN_A_LINE = re.compile(f"[{_ACTS}]")
_IN_A_TEXT = re.compile(f"(?![\n\t])[{_ACTS}]")
# user and password, and the query, of an address
_USER = re.compile(r"(?<=://)[^/\s?#\"']*@")
_QUERY = re.compile(r"(://[^\s?\"']*\?)[^\s\"']*")


def encodable(text: str) -> str:
    r"""Return a text that UTF-8 can carry.

    A file name's bytes that Python could not decode are decoded as UTF-8, so that they
    read the same in every locale; what is no UTF-8 becomes ``\xNN``, as does any
    other half character (``\uNNNN``). All else stays.

    Examples
    --------
    >>> encodable("caf\udce9.png"), encodable("caf\udcc3\udca9.png")
    ('caf\\xe9.png', 'café.png')
    """
    joined = _BYTES.sub(_decoded, text)
    return _HALVES.sub(lambda half: rf"\u{ord(half[0]):04x}", joined)


def utf8_name(path: str | os.PathLike[str]) -> str | None:
    """Return a file's name as its bytes read in UTF-8; None where they are no UTF-8.

    For what takes names in UTF-8 alone. Where the locale is another one, this differs
    from how Python reads the name.
    """
    try:
        return os.fsencode(path).decode("utf-8")
    except UnicodeEncodeError:  # from a text, no name that this locale could have given
        text = str(path)
        return None if _HALVES.search(text) else text
    except UnicodeDecodeError:
        return None


def one_line(error: BaseException, limit: int = 200) -> str:
    """Return an error's text on one line; its class where it has no text.

    Parameters
    ----------
    error : BaseException
        What was raised.
    limit : int
        Characters; of a longer text beginning and end are kept.
    """
    return shortened(plain(str(error)), limit) or type(error).__name__


def reason_of(error: BaseException) -> str:
    """Return why something failed, without the number and the file of an `OSError`.

    An error of our own may be one too, or one without a number: then its text.

    Examples
    --------
    >>> reason_of(FileNotFoundError(2, "No such file or directory", "a.txt"))
    'No such file or directory'
    >>> reason_of(OSError("the disk is gone")), reason_of(OSError())
    ('the disk is gone', 'OSError')
    >>> reason_of(MemoryError())
    'not enough memory'
    """
    if isinstance(error, MemoryError) and not str(error):
        return "not enough memory"
    words = getattr(error, "strerror", None) or str(error)
    return words or type(error).__name__


def plain(text: str) -> str:
    r"""Return a text on one line, without what a terminal would act on.

    Examples
    --------
    >>> plain("\x1b[31mno\x1b[0m  such\n file\a")
    'no such file'
    """
    shown = without_sequences(encodable(text))
    return " ".join(_CONTROLS.sub(" ", shown).split())


def without_sequences(text: str) -> str:
    """Return a text without the sequences that move a cursor or set a colour."""
    return _SEQUENCES.sub("", text)


def shortened(text: str, limit: int) -> str:
    """Return a text of at most `limit` characters: what happened stands at either end.

    Examples
    --------
    >>> shortened("the model cannot be used: there is no operator of that name", 34)
    'the model ... of that name'
    """
    if len(text) <= limit:
        return text
    room = limit - len(_GAP)
    head, tail = text[: room * 2 // 5], text[-(room - room * 2 // 5) :]
    if " " in head[len(head) // 2 :]:
        head = head.rpartition(" ")[0]
    if " " in tail[: len(tail) // 2]:
        tail = tail.partition(" ")[2]
    return f"{head.rstrip()}{_GAP}{tail.lstrip()}"


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


def hide_credentials(text: str) -> str:
    """Return a text with the secrets of every address in it left out.

    Parameters
    ----------
    text : str
        An address, or a message that may hold addresses.

    Examples
    --------
    >>> hide_credentials("cannot open rtsp://eve:s3cret@10.0.0.7/live?token=42: no")
    'cannot open rtsp://10.0.0.7/live?...'
    """
    return _QUERY.sub(r"\1...", _USER.sub("", text))


def hide_token(text: str) -> str:
    """Return an output string as it may be shown.

    Examples
    --------
    >>> hide_token("web:0.0.0.0:8080?fps=5&token=secret&quality=70")
    'web:0.0.0.0:8080?fps=5&token=...&quality=70'
    """
    return re.sub(r"([?&](?:view_)?token=)[^&]*", r"\1...", text)


def _decoded(found: re.Match[str]) -> str:
    content = bytes(ord(character) - 0xDC00 for character in found[0])
    return content.decode("utf-8", "backslashreplace")


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
