"""A training by the clock ends in time on an idle, a busy and a changing machine."""

from __future__ import annotations

import pytest

from edgeseg.converter.training.schedule import ByClock, BySteps, Spent


def simulate(schedule, step_s, *, validation_s=4.0, epoch=20):
    """Run a training whose steps take what `step_s` gives; return time and shares."""
    seconds, since, steps, shares = validation_s, 0.0, 0, []
    validations = 1
    while not schedule.over(Spent(steps, seconds, validation_s)):
        shares.append(schedule.share(Spent(steps, seconds, validation_s)))
        took = step_s(seconds)
        seconds, since, steps = seconds + took, since + took, steps + 1
        schedule.took(took)
        spent = Spent(steps, seconds, validation_s)
        over = schedule.over(spent)
        if over or (steps % epoch == 0 and schedule.worth_validating(spent, since)):
            seconds, since, validations = seconds + validation_s, 0.0, validations + 1
    return seconds, shares, validations


@pytest.mark.parametrize(
    "step_s",
    [
        lambda now: 1.0,
        lambda now: 0.03,
        lambda now: 1.0 if now < 300 else 4.0,  # it gets busy
        lambda now: 4.0 if now < 300 else 1.0,  # it gets idle
        lambda now: 2.0 if int(now) % 60 < 30 else 0.5,
    ],
    ids=["even", "fast", "busier", "idler", "changing"],
)
def test_it_takes_its_time_and_no_more(step_s):
    seconds, shares, validations = simulate(ByClock(900.0), step_s)
    assert abs(seconds - 900) < 0.01 * 900
    assert shares == sorted(shares)
    assert shares[-1] > 0.97  # the rate has fallen to nearly nothing
    assert validations * 4.0 < 0.15 * 900


def test_one_step_is_always_taken():
    schedule = ByClock(1.0)
    assert not schedule.over(Spent(0, 99.0, 5.0))
    assert schedule.over(Spent(1, 99.0, 5.0))


def test_steps_can_end_it_before_the_clock():
    seconds, shares, _ = simulate(ByClock(900.0, BySteps(100)), lambda now: 1.0)
    assert len(shares) == 100
    assert seconds < 200
    assert shares[-1] > 0.97


def test_the_total_is_what_the_last_steps_make_likely():
    schedule = ByClock(100.0)
    for _ in range(3):
        schedule.took(30.0)  # the graph is built
    for _ in range(5):
        schedule.took(0.5)
    assert schedule.total(Spent(8, 40.0, 10.0)) == 8 + 100


def test_steps_count_themselves():
    schedule = BySteps(10)
    assert not schedule.over(Spent(9, 1e9, 0.0))
    assert schedule.over(Spent(10, 0.0, 0.0))
    assert schedule.total(Spent(3, 0.0, 0.0)) == 10
