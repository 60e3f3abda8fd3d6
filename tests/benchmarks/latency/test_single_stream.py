"""The loop: one query at a time, until both queries and seconds are enough."""

from __future__ import annotations

import pytest

from edgeseg.benchmarks.latency.single_stream import Rules, run_stream


class Clock:
    """Seconds that pass only when a query takes them."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def stream(rules, lap_s=0.5, pictures=3):
    clock, asked = Clock(), []

    def query(picture):
        asked.append(picture)
        clock.now += lap_s
        return picture, len(asked)

    return run_stream(query, pictures, rules, keep=str, clock=clock), asked


@pytest.mark.parametrize(
    ("queries", "seconds", "expected"), [(10, 0.0, 10), (1, 4.0, 8), (0, 0.0, 1)]
)
def test_it_ends_when_both_are_enough(queries, seconds, expected):
    found, asked = stream(Rules(queries, seconds))
    assert len(asked) == len(found.laps_ms) == expected
    assert found.laps_ms == (500.0,) * expected
    assert found.seconds == 0.5 * expected


def test_pictures_take_turns_and_first_answers_are_kept():
    found, asked = stream(Rules(8, 0.0))
    assert asked == [0, 1, 2, 0, 1, 2, 0, 1]
    assert found.first == ("(0, 1)", "(1, 2)", "(2, 3)")
    assert (found.last_picture, found.last) == (1, "(1, 8)")


def test_fewer_queries_than_pictures():
    found, _ = stream(Rules(2, 0.0))
    assert len(found.first) == 2
    assert found.last_picture == 1


def test_progress_is_told_twice_a_second_at_most():
    clock, told = Clock(), []

    def query(picture):
        clock.now += 0.2

    run_stream(
        query,
        1,
        Rules(10, 0.0),
        keep=bool,
        clock=clock,
        progress=lambda n, s: told.append((n, round(s, 1))),
    )
    assert told == [(3, 0.6), (6, 1.2), (9, 1.8)]


def test_only_unchanged_full_rules_are_mlperf():
    assert Rules.full().changed().to_dict()["mlperf"]
    assert not Rules.quick().to_dict()["mlperf"]
    longer = Rules.full().changed(queries=5000)
    assert (longer.queries, longer.seconds, longer.name) == (5000, 60.0, "own")
    assert not longer.to_dict()["mlperf"]


def test_a_short_run_has_a_short_warm_up():
    rules = Rules.full().changed(queries=1, seconds=0)
    assert (rules.warm_up.queries, rules.warm_up.seconds) == (1, 0)
