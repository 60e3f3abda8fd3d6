"""The cause in a long error of Keras or TensorFlow, on one line.

Keras wraps an error once for each model and layer that it was building, with all their
settings, and the cause stands last. TensorFlow's converter prints the compiler's view
of the whole network around it.
"""

from __future__ import annotations

import re

_BOLD = re.compile(r"\x1b\[1m(.*?)\x1b\[0m", re.DOTALL)
_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_WRAPPED = re.compile(
    r"(?:Exception encountered|Error encountered during deserialization):"
)
_LAYER = re.compile(r"deserializing class '(\w+)' using config=\{'name': '([^']*)'")
_CALLED = re.compile(r"Exception encountered when calling (\w+)\.call\(\)")
_SETTINGS = re.compile(r"^(?:Received )?config=|^Arguments received by ")
_MISSING = re.compile(r"^(?:TF Select|Custom) ops: (.+)$", re.MULTILINE)
_DETAILS = re.compile(r"^Details:\s*(.+?\))", re.MULTILINE)
_PLACE = re.compile(r"\"([^\"]+)@__inference_")
_LINE = re.compile(r"error:\s*(.+)")


def cause(error: BaseException, limit: int = 300) -> str:
    """Return what an error says went wrong, on one line of at most `limit` characters.

    Parameters
    ----------
    error : BaseException
        Of Keras, TensorFlow or its converter.
    limit : int
        Of the start and the end of a longer text is kept.

    Examples
    --------
    >>> cause(TypeError("Could not be built. Exception encountered: filters is -3"))
    'filters is -3'
    """
    text = str(error)
    said = _of_compiler(text) or _of_call(text) or _of_building(text)
    plain = _ESCAPES.sub("", said)
    shown = "".join(one if one.isprintable() else " " for one in plain)
    return shortened(" ".join(shown.split()), limit)


def shortened(text: str, limit: int) -> str:
    """Return a text's start and end, where it is longer than `limit`.

    Examples
    --------
    >>> shortened("abcdefghijklmnopqrstuvwxyz", 14)
    'abcde ... wxyz'
    """
    if len(text) <= limit:
        return text
    kept = limit - len(" ... ")
    return f"{text[: kept - kept // 2]} ... {text[len(text) - kept // 2 :]}"


def _of_compiler(text: str) -> str:
    """Return what TensorFlow's converter could not say, or nothing."""
    missing = [name for found in _MISSING.findall(text) for name in found.split(", ")]
    if missing:
        places, details = _PLACE.findall(text), _DETAILS.findall(text)
        where = f", at {places[0]}" if places else ""
        what = f": {details[0]}" if details else ""
        return f"TFLite has no operator for {', '.join(missing)}{where}{what}"
    if "<unknown>:0: error:" not in text:
        return ""
    return without_places(_LINE.findall(text)[0])


def without_places(line: str) -> str:
    """Return a compiler's line without the places in brackets that it starts with.

    Examples
    --------
    >>> without_places('loc(fused["a", "b(c)"]): no such thing')
    'no such thing'
    """
    if not line.startswith("loc("):
        return line
    depth = 0
    for place, one in enumerate(line):
        depth += (one == "(") - (one == ")")
        if depth == 0 and one == ")":
            return line[place + 1 :].lstrip(": ")
    return line


def _of_call(text: str) -> str:
    """Return why a layer could not be called, which Keras has in bold, or nothing."""
    called, bold = _CALLED.findall(text), _BOLD.findall(text)
    if not bold:
        return ""
    return f"{called[-1]}: {bold[-1]}" if called else bold[-1]


def _of_building(text: str) -> str:
    """Return the last error of those that are wrapped in each other, and the layer."""
    plain = _ESCAPES.sub("", text)
    layers, last = _LAYER.findall(plain), _WRAPPED.split(plain)[-1]
    parts = [part for part in last.split("\n\n") if not _SETTINGS.match(part.strip())]
    said = " ".join(parts).strip() or plain
    if not layers:
        return said
    kind, name = layers[-1]
    return f"layer '{name}' ({kind}): {said}"
