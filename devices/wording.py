"""Words of others on one line: of an exception, of a log, of a file's name."""

from __future__ import annotations

import os
import re

# terminal sequences: CSI, OSC (title, link) and the two-character ones (ECMA-48)
_SEQUENCES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)")
# control characters, line and paragraph separators, and what turns text around
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_BYTES = re.compile("[\udc80-\udcff]+")  # what os.fsdecode makes of undecodable bytes
_HALVES = re.compile("[\ud800-\udfff]")
_GAP = " ... "

_WORD = re.compile(r"[^\W\d_]{2}")
_TRACEBACK = "Traceback (most recent call last):"
_CRASH = "Fatal Python error"  # where Python's own report of a crash begins
# "Error: ...", "ValueError: ...", "lib.Error: ...", "ERROR: ...", "x.cc:3: error: ..."
_FAILURE = re.compile(r"(?i:\b(?:\w*error|\w*exception|fatal)\b)\S*:|^error\b")
# what a library says as it ends the process
_LAST_WORDS = re.compile(
    r"check failed|assertion|terminate called|what\(\):|LLVM ERROR|^F\d{4} |bad_alloc"
    r"|free\(\)|malloc|corrupt|out of memory|stack smashing|error",
    re.IGNORECASE,
)
# notes and warnings of TensorFlow's log, and lines of a native stack
_CHATTER = re.compile(
    r"[IW]\d{4} |[IW]0000 |\d{4}-\d\d-\d\d [\d:.]+: [IW] |(?:INFO|WARNING):|\[notice\]"
    r"|@ +0x|#\d+ |\*\*\* "
)
_NEAR = 5  # lines at a log's end in which an error is the reason of the end
_BEFORE_CRASH = 40  # lines before a crash in which its reason is looked for


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


def _decoded(found: re.Match[str]) -> str:
    content = bytes(ord(character) - 0xDC00 for character in found[0])
    return content.decode("utf-8", "backslashreplace")


def utf8_name(path: str | os.PathLike[str]) -> str | None:
    """Return a file's name as its bytes read in UTF-8; None where they are none.

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


def plain(text: str) -> str:
    r"""Return a text on one line, without what a terminal would obey.

    Examples
    --------
    >>> plain("\x1b[31mno\x1b[0m  such\n file\a")
    'no such file'
    """
    return " ".join(_CONTROLS.sub(" ", _SEQUENCES.sub("", encodable(text))).split())


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


def reason_in(log: str, limit: int = 300) -> str:
    r"""Return on one line why a process ended, from what it wrote; empty if unknown.

    That is the exception of the last Python traceback; what a library said before the
    process crashed; else an error in the last lines; else the last line with words.

    Parameters
    ----------
    log : str
        Standard error, or both outputs.
    limit : int
        Characters; of a longer reason beginning and end are kept.

    Examples
    --------
    >>> reason_in("step 1 of 2\nValueError: see\n```\nx = 1\n```\n")
    'ValueError: see'
    """
    lines = _clean(log)
    crash = next((i for i, line in enumerate(lines) if line.startswith(_CRASH)), None)
    if crash is not None:
        found = _crash(lines[max(crash - _BEFORE_CRASH, 0) : crash], lines[crash])
    else:
        found = _exception(lines) or _last(lines)
    return shortened(plain(found), limit)


def last_line_in(log: str, limit: int = 300) -> str:
    """Return what a process was at when it was ended: its last line with words."""
    return shortened(plain(_last(_clean(log), near=0)), limit)


def _clean(log: str) -> list[str]:
    """Return the lines as a terminal would leave them, without the empty ones."""
    lines = _SEQUENCES.sub("", log).replace("\r\n", "\n").split("\n")
    kept = (line.rstrip("\r").rpartition("\r")[2] for line in lines)
    return [line for line in kept if line.strip()]


def _exception(lines: list[str]) -> str:
    """Return the last traceback's exception with all lines of its message."""
    begins = [
        i
        for i, line in enumerate(lines)
        if line.startswith(_TRACEBACK)
        and not (i and lines[i - 1].startswith("Exception ignored"))
    ]
    if not begins:
        return ""
    after = lines[begins[-1] + 1 :]
    # frames are indented, the exception is not
    start = next((i for i, line in enumerate(after) if not line[0].isspace()), None)
    return "" if start is None else " ".join(_told(after[start:]))


def _told(lines: list[str]) -> list[str]:
    """Return an exception's lines up to what the process wrote later."""
    end = next(
        (i for i, line in enumerate(lines) if i and _is_later(line)),
        len(lines),
    )
    return [line for line in lines[:end] if _WORD.search(line)]


def _is_later(line: str) -> bool:
    return bool(_CHATTER.match(line)) or line.startswith("Exception ignored")


def _crash(before: list[str], report: str) -> str:
    """Return the reason of a crash, and Python's line about it."""
    telling = [line for line in before if _has_words(line)]
    strong = [line for line in telling if _LAST_WORDS.search(line)]
    if len(strong) > 1 and "what():" in strong[-1]:
        strong[-1] = f"{strong[-2].strip()} {strong[-1].strip()}"
    reason = (strong or telling)[-1:]
    return " | ".join([*(line.strip() for line in reason), report])


def _last(lines: list[str], near: int = _NEAR) -> str:
    telling = [line for line in lines if _has_words(line)]
    errors = [line for line in telling[len(telling) - near :] if _FAILURE.search(line)]
    worded = [line for line in lines if _WORD.search(line)]
    return (errors or telling or worded or [""])[-1]


def _has_words(line: str) -> bool:
    return bool(_WORD.search(line)) and not _CHATTER.match(line.lstrip())
