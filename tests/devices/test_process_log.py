"""The reason why a process ended, out of the logs of many programs."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.devices.process_log import last_line_in, reason_in

TRACEBACK = """\
Traceback (most recent call last):
  File "/x/child_main.py", line 46, in main
    result = call(
  File "/x/convert.py", line 12, in convert
    raise ValueError(text)
"""
CRASH = """\
Fatal Python error: {}

Current thread 0x00007f (most recent call first):
  File "/x/lower.py", line 3 in lower
  File "/x/error.py", line 4 in main

Extension modules: numpy._core (total: 1)
"""

LOGS = {
    "a fence at the end": (
        "2026-01-01 10:00:00.1: I core/cpu_feature_guard.cc:210] This binary is fast\n"
        + TRACEBACK
        + "ConverterError: op 'Foo' is not known. Use:\n```\nallow=1\n```\n",
        "ConverterError: op 'Foo' is not known. Use: allow=1",
    ),
    "a message of several lines": (
        TRACEBACK + "ValueError: Layer 'a' fails\n\nArguments: {}\n ^^^\n",
        "ValueError: Layer 'a' fails Arguments: {}",
    ),
    "the last of two": (
        TRACEBACK
        + "KeyError: 'x'\n\nDuring handling of the above exception, another exception "
        "occurred:\n\n" + TRACEBACK + "lib.errors.NotFound: no 'x' in graph\n",
        "lib.errors.NotFound: no 'x' in graph",
    ),
    "noise after it": (
        TRACEBACK
        + "MemoryError\nI0000 00:00:17 x.cc:43] destroyed\nException ignored in: "
        "<function f>\n" + TRACEBACK + "TypeError: 'NoneType' is not callable\n",
        "MemoryError",
    ),
    "Keras": (
        TRACEBACK
        + "TypeError: Could not locate class 'Foo'. Make sure it is registered.\n\n"
        "Full object config: {'module': 'builtins'}\n",
        "TypeError: Could not locate class 'Foo'. Make sure it is registered. Full "
        "object config: {'module': 'builtins'}",
    ),
    "a crash after a check": (
        "F0000 tensor.cc:12] Check failed: dims == 4 (3 vs. 4)\n*** Check failure "
        "stack trace: ***\n    @     0x7f12 absl::Fail()\n" + CRASH.format("Aborted"),
        "F0000 tensor.cc:12] Check failed: dims == 4 (3 vs. 4) | Fatal Python error: "
        "Aborted",
    ),
    "a crash by an exception": (
        "loading\nterminate called after throwing an instance of 'std::bad_alloc'\n"
        "  what():  std::bad_alloc\n" + CRASH.format("Aborted"),
        "terminate called after throwing an instance of 'std::bad_alloc' what(): "
        "std::bad_alloc | Fatal Python error: Aborted",
    ),
    "a crash in a compiler": (
        "LLVM ERROR: out of memory\nPLEASE submit a bug report to https://x and "
        "include the crash backtrace.\nStack dump:\n0.\tProgram arguments: python\n"
        " #0 0x01 f\n" + CRASH.format("Aborted"),
        "LLVM ERROR: out of memory | Fatal Python error: Aborted",
    ),
    "a crash without a word": (
        CRASH.format("Segmentation fault"),
        "Fatal Python error: Segmentation fault",
    ),
    "an error before a notice": (
        "Collecting x\nERROR: No matching distribution found for x\n\n[notice] A new "
        "release of pip is available\n[notice] To update, run: pip\n",
        "ERROR: No matching distribution found for x",
    ),
    "no more than a last line": ("step 1\nat operator 17\n---\n", "at operator 17"),
    "a progress bar": ("loading\r 10%\r100% of weights\r\n", "100% of weights"),
    "colours": (
        "\x1b[31mError: \x1b[1mno\x1b[0m disk\x1b]0;title\x07\n",
        "Error: no disk",
    ),
    "a frame alone": (TRACEBACK, "raise ValueError(text)"),
    "nothing": ("\n \n", ""),
}


@pytest.mark.parametrize("name", LOGS)
def test_the_reason_in_a_log(name):
    log, reason = LOGS[name]
    assert reason_in(log) == reason


def test_who_was_ended_by_others_says_what_it_was_at():
    log = "ERROR: one of the optional plugins is missing\nat operator 17\n```\n"
    assert last_line_in(log) == "at operator 17"


@given(st.text(), st.integers(20, 400))
def test_a_reason_is_one_line_that_is_short_and_can_be_printed(log, limit):
    reason = reason_in(log, limit)
    assert len(reason) <= limit
    assert len(reason.splitlines()) <= 1
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", reason)
    reason.encode("utf-8")
