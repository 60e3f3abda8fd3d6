"""Every condition can be broken, and an unknown one breaks nothing."""

from __future__ import annotations

import pytest

from edgeseg.benchmarks.latency.single_stream import Rules
from edgeseg.benchmarks.latency.validity import is_valid, validity_flags

STATE = {
    "temperature_c": 50.0,
    "throttling": {"now": [], "since_start": ["throttled"]},
    "throttle_count": None,
}
GOOD = {
    "queries": 1024,
    "seconds": 61.0,
    "drift": 0.01,
    "others": 0.0,
    "load_before": 0.2,
    "processors": 4,
    "emulated": None,
    "before": STATE,
    "after": {**STATE, "temperature_c": 57.0},
}
UNKNOWN = {"temperature_c": None, "throttling": None, "throttle_count": None}
NEW = {"now": [], "since_start": ["throttled", "under-voltage"]}


def test_a_good_run_is_valid():
    flags = validity_flags(GOOD, Rules.full())
    assert [flag.ok for flag in flags] == [True] * len(flags)
    assert is_valid(flags)


@pytest.mark.parametrize(
    ("change", "name", "word"),
    [
        ({"queries": 1023}, "enough queries and seconds", "1023"),
        ({"seconds": 59.9}, "enough queries and seconds", "59.9"),
        ({"drift": -0.06}, "steady", "-6.0%"),
        ({"others": 0.5}, "machine to itself", "50.0%"),
        ({"load_before": 4.1}, "idle before the start", "4.10"),
        ({"emulated": "inside qemu"}, "real machine", "emulated"),
        ({"after": {**STATE, "temperature_c": 61.0}}, "temperature stable", "61.0"),
        ({"after": {**STATE, "throttling": NEW}}, "not throttled", "under-voltage"),
        (
            {
                "before": {**UNKNOWN, "throttle_count": 2},
                "after": {**UNKNOWN, "throttle_count": 3},
            },
            "not throttled",
            "1 thermal",
        ),
    ],
)
def test_a_broken_condition_is_named(change, name, word):
    flags = validity_flags({**GOOD, **change}, Rules.full())
    broken = [flag for flag in flags if flag.ok is False]
    assert [flag.name for flag in broken] == [name]
    assert word in broken[0].reason
    assert not is_valid(flags)


def test_what_a_machine_does_not_tell_breaks_nothing():
    change = {"before": UNKNOWN, "after": UNKNOWN}
    change |= {"drift": None, "others": None, "load_before": None}
    flags = validity_flags({**GOOD, **change}, Rules.full())
    assert [flag.ok for flag in flags].count(None) == 5
    assert is_valid(flags)


@pytest.mark.parametrize(
    ("rules", "ok"),
    [
        (Rules.quick(), True),
        (Rules.full().changed(queries=5000), True),
        (Rules.quick().changed(queries=127), False),
        (Rules.quick().changed(seconds=9), False),
    ],
)
def test_shorter_than_quick_is_not_valid(rules, ok):
    flag = validity_flags({**GOOD, "queries": 5000}, rules)[1]
    assert flag.ok is ok
    assert "not MLPerf" in flag.reason
