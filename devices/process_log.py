"""Why a process ended, read from what it wrote."""

from __future__ import annotations

import re

from edgeseg.devices.plain_text import plain, shortened, without_sequences

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
    lines = without_sequences(log).replace("\r\n", "\n").split("\n")
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
    return "" if start is None else " ".join(_message(after[start:]))


def _message(lines: list[str]) -> list[str]:
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
    worded = [line for line in before if _has_words(line)]
    strong = [line for line in worded if _LAST_WORDS.search(line)]
    if len(strong) > 1 and "what():" in strong[-1]:
        strong[-1] = f"{strong[-2].strip()} {strong[-1].strip()}"
    reason = (strong or worded)[-1:]
    return " | ".join([*(line.strip() for line in reason), report])


def _last(lines: list[str], near: int = _NEAR) -> str:
    own = [line for line in lines if _has_words(line)]
    errors = [line for line in own[len(own) - near :] if _FAILURE.search(line)]
    worded = [line for line in lines if _WORD.search(line)]
    return (errors or own or worded or [""])[-1]


def _has_words(line: str) -> bool:
    return bool(_WORD.search(line)) and not _CHATTER.match(line.lstrip())
