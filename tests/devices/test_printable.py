"""Text from elsewhere is shown, bounded, and commands no terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.devices.printable import is_printable, printable, printable_lines

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
