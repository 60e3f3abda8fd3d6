"""Text from elsewhere is shown on bounded lines, and no terminal acts on it."""

from __future__ import annotations

import os
import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.devices import OutputError
from edgeseg.devices.plain_text import (
    encodable,
    is_printable,
    one_line,
    plain,
    printable,
    printable_lines,
    reason_of,
    shortened,
    utf8_name,
)

ANY_TEXT = st.text(st.characters(exclude_categories=()) | st.sampled_from("\x1b\x9b\r"))


@given(text=ANY_TEXT, limit=st.integers(5, 50))
def test_any_text_becomes_one_bounded_line(text, limit):
    line = printable(text, limit)
    assert len(line) <= limit
    assert is_printable(line)
    line.encode()


@given(text=ANY_TEXT)
def test_lines_and_tabs_of_a_text_stay(text):
    shown = printable_lines(text)
    assert is_printable(shown.replace("\n", "").replace("\t", ""))
    assert shown.count("\n") == text.count("\n")
    shown.encode()


@pytest.mark.parametrize("text", ["plain", "Müller's 猫.png", "👨‍👩‍👧", "a\u00a0b", ""])
def test_what_a_terminal_only_shows_stays_as_it_is(text):
    assert printable_lines(text) == text
    assert is_printable(text)


def test_of_a_long_text_both_ends_are_kept():
    line = printable("first " + "x" * 10**6 + " last")
    assert line.startswith("first x")
    assert line.endswith("x last")
    assert len(line) <= 400


def test_a_long_error_keeps_its_end():
    words = "cannot load 'model.keras': " + "please ensure that " * 40 + "no class Foo"
    line = one_line(ValueError(words), 200)
    assert len(line) <= 200
    assert line.startswith("cannot load 'model.keras': ")
    assert line.endswith("no class Foo")
    assert " ... " in line


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (FileNotFoundError(2, "No such file", "a.txt"), "No such file"),
        (OSError("the disk is gone"), "the disk is gone"),
        (OutputError("cannot write a.png: full"), "cannot write a.png: full"),
        (OSError(), "OSError"),
        (ValueError("no"), "no"),
    ],
)
def test_a_reason_is_never_none(error, reason):
    assert reason_of(error) == reason


def test_an_output_error_that_a_plugin_catches_gives_its_reason():
    """It is an `OSError`: plugins that catch those format ``strerror``."""
    error = OutputError("cannot write a.png: full")
    assert (str(error), error.strerror) == ("cannot write a.png: full",) * 2
    assert pickle.loads(pickle.dumps(error)).strerror == str(error)


def test_no_message_is_made_of_strerror_but_by_the_helper(root):
    users = {
        path.relative_to(root).as_posix()
        for layer in ("devices", "runtime", "converter", "benchmarks")
        for path in (root / layer).rglob("*.py")
        if re.search(r"\.strerror\b", path.read_text("utf-8"))
    }
    assert users == {"devices/errors.py"}


def test_an_error_without_words_is_named():
    assert one_line(TimeoutError()) == "TimeoutError"


@given(st.text(), st.integers(12, 100))
def test_what_is_shortened_fits(text, limit):
    assert len(shortened(text, limit)) <= limit
    if len(text) <= limit:
        assert shortened(text, limit) == text


@pytest.mark.parametrize(
    "text",
    [
        "a\x1b[2J\x1b[1;1Hb",
        "a\x1b]0;title\x07b",
        "a\x1b]8;;http://x\x1b\\b",
        "a\x9b31mb",
        "a\rb",
        "a\u202eb",
        "a\u2028b",
        "a\x00b",
    ],
)
def test_nothing_that_a_terminal_obeys_is_left(text):
    assert re.fullmatch(r"a[ 13;mb]*b", plain(text))


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@given(name=st.binary(min_size=1))
def test_names_read_the_same_in_every_locale(encoding, name):
    seen = name.decode(encoding, "surrogateescape")  # as os.fsdecode does there
    assert encodable(seen) == name.decode("utf-8", "backslashreplace")


def test_text_that_is_whole_stays():
    assert encodable("naïve \U0001f43b\\xe9") == "naïve \U0001f43b\\xe9"
    assert encodable("\ud83d") == "\\ud83d"
    assert encodable(os.fsdecode(b"caf\xe9")) == "caf\\xe9"


def test_names_for_what_takes_utf_8_alone():
    assert utf8_name(os.fsdecode("für".encode())) == "für"
    assert utf8_name(os.fsdecode(b"caf\xe9")) is None


def test_a_text_that_the_locale_has_no_name_for(monkeypatch):
    monkeypatch.setattr(os, "fsencode", lambda path: str(path).encode("ascii"))
    assert utf8_name("für") == "für"
    assert utf8_name("fü\udcfcr") is None
