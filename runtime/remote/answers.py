"""What the board may answer: every message is looked at here before it is used.

A board is another machine, and perhaps not the one it should be. Each kind of message
has a table of its keys and what may stand there; what an answer has to do with its
request follows below the tables.
"""

from __future__ import annotations

import json
import re
import reprlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeseg.devices.plain_text import is_printable, printable
from edgeseg.runtime.remote.address import RemoteError

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.devices.types import Json

MOST_FILES = 100_000  # that a run wrote and this machine takes
_LARGEST = 1 << 50  # bytes of a file: more than any board's disk has
_PIECE = 1 << 20  # bytes of a run's output in one message; the board sends 64 kB


@dataclass(frozen=True)
class _Kind:
    """What may stand at a key: in words for the user, and as a test."""

    words: str
    fits: Callable[[Any], bool]
    needed: bool = True


def _whole(first: int, last: int) -> _Kind:
    words = f"a whole number from {first} to {last}"
    # True and False are numbers to Python
    return _Kind(words, lambda v: type(v) is int and first <= v <= last)


def _like(words: str, pattern: str) -> _Kind:
    return _Kind(
        words, lambda v: isinstance(v, str) and bool(re.fullmatch(pattern, v, re.ASCII))
    )


def _list_of(kind: _Kind, most: int | None = None) -> _Kind:
    return _Kind(
        f"a list of {kind.words}" + (f", {most} at most" if most else ""),
        lambda v: (
            isinstance(v, list)
            and (most is None or len(v) <= most)
            and all(map(kind.fits, v))
        ),
    )


def _or_null(kind: _Kind) -> _Kind:
    return _Kind(f"{kind.words}, or null", lambda v: v is None or kind.fits(v))


def _optional(kind: _Kind) -> _Kind:
    return _Kind(kind.words, kind.fits, needed=False)


_ANY_TEXT = _Kind("a text", lambda v: isinstance(v, str))  # `printable` before it shows
_YES_OR_NO = _Kind("true or false", lambda v: isinstance(v, bool))
_PATH = _Kind(
    "a path without control characters",
    lambda v: isinstance(v, str) and 0 < len(v) <= 4096 and is_printable(v),
)
_RUN = _like("the name of a run", r"[A-Za-z0-9][\w.-]{0,99}")
_SHA = _like("a SHA-256", "[0-9a-f]{64}")
_VERSION = _Kind(
    "a version of three numbers",
    lambda v: isinstance(v, list) and len(v) == 3 and all(map(_whole(0, 999).fits, v)),
)
_MARKERS = _Kind(
    "an object of short texts",
    lambda v: (
        isinstance(v, dict)
        and len(v) <= 100
        and all(isinstance(text, str) and len(text) <= 1000 for text in v.values())
    ),
)
_OFFSETS = _Kind(
    "the sizes of out, err or log",
    lambda v: (
        isinstance(v, dict)
        and set(v) <= {"out", "err", "log"}
        and all(map(_whole(0, _LARGEST).fits, v.values()))
    ),
)
_FILE = _Kind(
    "[name, size, SHA-256]",
    lambda v: (
        isinstance(v, list)
        and len(v) == 3
        and isinstance(v[0], str)
        and _whole(0, _LARGEST).fits(v[1])
        and _SHA.fits(v[2])
    ),
)
_TOLD = {
    "run": _RUN,
    "running": _YES_OR_NO,
    "folder": _PATH,
    "exit": _optional(_whole(-255, 255)),
    "arguments": _optional(_list_of(_ANY_TEXT)),
}
_RUN_RECORD = _Kind(
    f"an object with {', '.join(_TOLD)}",
    lambda v: isinstance(v, dict) and _misfit(_TOLD, v) is None,
)

# by the request that it answers; a run that is followed sends pieces, then its end
_ANSWERS = {
    "facts": {
        "machine": _like("the name of a processor", r"[\w.-]{1,40}"),
        "glibc": _or_null(_like("a version", r"\d{1,3}\.\d{1,3}(\.\d{1,4})*")),
        "home": _PATH,
        "root": _PATH,
        "python": _VERSION,
    },
    "python": {
        "path": _PATH,
        "bits": _whole(8, 128),
        "venv": _YES_OR_NO,
        "version": _VERSION,
        "markers": _MARKERS,
    },
    "state": {
        "offsets": _list_of(_whole(-1, _LARGEST)),
        "free": _whole(0, 1 << 63),
    },
    "commit": {"damaged": _list_of(_SHA)},
    "tree": {"path": _PATH},
    "find": {"python": _or_null(_PATH)},
    "make": {"python": _PATH},
    "start": {"run": _RUN},
    "follow": {"following": _RUN},
    "piece": {
        "file": _like("out, err or log", "out|err|log"),
        "payload": _whole(1, _PIECE),
    },
    "end": _TOLD,
    "runs": {"runs": _list_of(_RUN_RECORD)},
    "tail": {"text": _ANY_TEXT, "sizes": _OFFSETS},
    "results": {"files": _list_of(_FILE, MOST_FILES)},
    "get": {"payload": _whole(0, _LARGEST)},
}


def parsed(host: str, line: bytes) -> Json:
    """Return the message of a line.

    Parameters
    ----------
    host : str
        Who sent it.
    line : bytes
        What came.

    Raises
    ------
    RemoteError
        It is no JSON object, or its note or error is no text.
    """
    try:
        message = json.loads(line.decode("ascii"))
    except (ValueError, RecursionError):
        message = None
    said = _ANY_TEXT.fits
    if not isinstance(message, dict) or not all(
        said(message.get(key, "")) for key in ("error", "note")
    ):
        shown = printable(line[:1000].decode("utf-8", "replace"), 100)
        raise RemoteError(
            f"{host} sent {shown or 'an empty line'}: expected a message of edgeseg's "
            "(an object in JSON); is another program answering there?"
        )
    return message


def checked(host: str, kinds: tuple[str, ...], request: Json, answer: Json) -> Json:
    """Return an answer in which each key holds what it should.

    Parameters
    ----------
    host : str
        Who sent it.
    kinds : tuple of str
        What may come: the name of the request, or ``piece`` and ``end``.
    request : dict
        The values of the request.
    answer : dict
        What came.

    Raises
    ------
    RemoteError
        A key is missing, holds something else, or does not belong to the request.
    """
    kind = "piece" if "piece" in kinds and "file" in answer else kinds[-1]
    wrong = _misfit(_ANSWERS[kind], answer) or _stray(kind, request, answer)
    if wrong is not None:
        raise RemoteError(
            f"{host} answers {kind!r} {wrong}; is another program answering there?"
        )
    return answer


def _misfit(kinds: dict[str, _Kind], answer: Json) -> str | None:
    """Return what is wrong with an object, None where each key holds what it should."""
    for key, kind in kinds.items():
        if key not in answer:
            if kind.needed:
                return f"without {key!r}: expected {kind.words}"
        elif not kind.fits(answer[key]):
            came = printable(reprlib.repr(answer[key]), 100)
            return f"with {came} for {key!r}: expected {kind.words}"
    return None


def _stray(kind: str, request: Json, answer: Json) -> str | None:
    """Return how an answer has nothing to do with its request."""
    if kind in ("end", "follow"):
        key = "run" if kind == "end" else "following"
        return None if answer[key] == request["run"] else "with another run"
    if kind == "python":
        oldest, newest = list(request["oldest"]), list(request["newest"])
        version = answer["version"]
        right = oldest <= version[:2] <= newest
        return None if right else f"with version {version} that was not asked for"
    asked = {
        "state": _are_offsets_of,
        "commit": _are_among,
        "piece": _is_followed,
    }.get(kind)
    fits = asked is None or asked(request, answer)
    return None if fits else "with files that were not asked for"


def _are_offsets_of(request: Json, answer: Json) -> bool:
    sizes = [size for _, size in request["blobs"]]
    offsets = answer["offsets"]
    return len(offsets) == len(sizes) and all(map(int.__le__, offsets, sizes))


def _are_among(request: Json, answer: Json) -> bool:
    return {sha for sha, _ in request["blobs"]}.issuperset(answer["damaged"])


def _is_followed(request: Json, answer: Json) -> bool:
    return answer["file"] in request["offsets"]
