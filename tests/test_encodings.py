"""No text is read or written in an encoding that the locale chooses."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ("devices", "runtime", "converter", "benchmarks")
# to be mended with the rest of that folder
LATER = "runtime/remote"
# where the encoding stands among the positional arguments, after the object itself
POSITION = {"read_text": 0, "write_text": 1}
# functions that open text, and where their mode stands and is by default
OPENERS = {
    "open": (1, "r"),
    "fdopen": (1, "r"),
    "TemporaryFile": (0, "w+b"),
    "NamedTemporaryFile": (0, "w+b"),
}

OTHERS = ("os", "Image", "av", "Segmenter", "connection")  # whose `open` is another


def modules():
    for layer in LAYERS:
        for path in sorted((ROOT / layer).rglob("*.py")):
            place = path.relative_to(ROOT).as_posix()
            if not place.startswith(LATER):
                yield place


def calls_without_encoding(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and is_text_without_encoding(node):
            yield node.lineno


def is_text_without_encoding(call):
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    given = {keyword.arg for keyword in call.keywords}
    if "encoding" in given:
        return False
    if given & {"text", "universal_newlines"}:
        return True
    if name in POSITION:
        return len(call.args) <= POSITION[name]
    if name not in OPENERS or owner(call) in OTHERS:
        return name == "fdopen" and "b" not in mode_of(call, *OPENERS["fdopen"])
    position, default = OPENERS[name]
    # a path's own method has no path among its arguments
    method = name == "open" and isinstance(call.func, ast.Attribute)
    return opens_text(mode_of(call, position - method, default))


def owner(call):
    return getattr(getattr(call.func, "value", None), "id", None)


def mode_of(call, position, default):
    for keyword in call.keywords:
        if keyword.arg == "mode":
            return ast.literal_eval(keyword.value)
    if len(call.args) <= position:
        return default
    given = call.args[position]
    return given.value if isinstance(given, ast.Constant) else None


def opens_text(mode):
    """Return whether this is a mode, and one for text."""
    return isinstance(mode, str) and set(mode) <= set("rwax+t")


@pytest.mark.parametrize("place", list(modules()))
def test_every_text_has_its_encoding(place):
    tree = ast.parse((ROOT / place).read_text("utf-8"))
    assert list(calls_without_encoding(tree)) == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("open(p)", True),
        ("open(p, 'wb')", False),
        ("open(p, encoding='utf-8')", False),
        ("p.open()", True),
        ("p.open('rb')", False),
        ("p.open('a', encoding='ascii')", False),
        ("p.read_text()", True),
        ("p.read_text('utf-8')", False),
        ("p.write_text(t)", True),
        ("p.write_text(t, 'utf-8')", False),
        ("os.fdopen(n)", True),
        ("os.fdopen(n, 'rb')", False),
        ("subprocess.run(c, text=True)", True),
        ("subprocess.run(c, encoding='utf-8')", False),
        ("tempfile.TemporaryFile()", False),
        ("tempfile.TemporaryFile('w+')", True),
    ],
)
def test_what_is_found(code, found):
    assert bool(list(calls_without_encoding(ast.parse(code)))) is found
