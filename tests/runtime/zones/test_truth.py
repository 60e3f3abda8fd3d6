"""A scene whose truth is known: every event is right, at any rate, with lost frames."""

from __future__ import annotations

import functools
from itertools import pairwise

import numpy as np
import pytest
from gliding import DOG, LABELS, PERSON, Glider, Gliding, exact_segmenter

from edgeseg.runtime import Line, Manifest, Sink, Watch, Zone, run_pipeline

SECONDS = 20
RATES = (5, 15, 30)
# which frames are lost: none; three of ten at random; and two pauses as well
LOSSES = {
    "none": lambda rate: None,
    "some": lambda rate: lambda index: _random(index) < 0.3,
    "pauses": lambda rate: (
        lambda index: (
            _random(index) < 0.2
            or 6.4 < index / rate < 7.0
            or 14.9 < index / rate < 15.5
        )
    ),
}

# through the corner within a quarter of a second: 13 of its own lengths a second
FAST = Glider(PERSON, (30, 30), ((16, 600, 200), (16.8, 600, 520)))
GLIDERS = (
    # walks through the gate (x=400) at 4 s, into the door zone at 5.6 s, stays, and
    # goes back: out of the zone at 14.4 s, through the gate at 16 s
    Glider(
        PERSON, (30, 80), ((1, 700, 240), (7, 100, 240), (13, 100, 240), (19, 700, 240))
    ),
    # comes into the door zone from the left at 4.667 s, leaves it below at 10.286 s
    Glider(PERSON, (30, 70), ((2, -40, 380), (10, 200, 380), (11, 200, 520))),
    # through the gate at 2.667 s, trembles on it, goes back through it at 9 s
    Glider(
        DOG,
        (50, 40),
        (
            (1, 500, 60),
            (3, 380, 60),
            (4, 396, 60),
            *((4 + i / 4, 400 + 4 * (-1) ** i, 60) for i in range(1, 20)),
            (9, 400, 60),
            (11, 500, 60),
        ),
    ),
    # around the end of the step
    Glider(DOG, (40, 40), ((5, 300, 380), (6, 300, 265), (8, 520, 265), (9, 520, 380))),
    FAST,
    # covers a third of the lawn for five seconds
    Glider(DOG, (220, 60), ((12, 320, 455), (17, 320, 455))),
)
ZONES = (
    Zone(
        "door", ((40, 100), (240, 100), (240, 420), (40, 420)), ("person",), dwell_s=3
    ),
    Zone("corner", ((0.875, 0.85), (1, 0.85), (1, 1), (0.875, 1)), ("person",)),
    Zone("lawn", ((0, 430), (640, 430), (640, 480), (0, 480)), ("dog",), threshold=0.2),
)
LINES = (
    Line("gate", ((400, 0), (400, 480))),
    Line("step", ((400, 300), (400, 470)), classes=("dog",)),
)
TRUTH = [
    # kind, place, class, more, when it began
    ("cross", "gate", "dog", "in", 2.667),
    ("cross", "gate", "person", "in", 4.0),
    ("enter", "door", "person", 1, 4.667),
    ("count", "door", "person", 1, 4.667),
    ("count", "door", "person", 2, 5.6),
    ("cross", "gate", "dog", "out", 6.9),
    ("dwell", "door", "person", 2, 4.667),
    ("dwell", "door", "person", 2, 5.6),
    ("cross", "gate", "dog", "out", 9.0),
    ("count", "door", "person", 1, 10.286),
    ("enter", "lawn", "dog", 1, 12.0),
    ("count", "lawn", "dog", 1, 12.0),
    ("leave", "door", "person", 0, 14.4),
    ("count", "door", "person", 0, 14.4),
    ("cross", "gate", "person", "out", 16.0),
    ("leave", "lawn", "dog", 0, 17.0),
    ("count", "lawn", "dog", 0, 17.0),
]


def _random(index):
    return np.random.default_rng(index).random()


class Noting(Sink):
    """Keeps what is watched."""

    def __init__(self):
        self.frames = []

    def write(self, capture, segmentation):
        self.frames.append((capture.time_s, segmentation.watched))


@functools.cache
def watched(rate, losses="none", specks=0.0):
    noting = Noting()
    drops = LOSSES[losses](rate)
    source = Gliding(GLIDERS, rate, SECONDS, drops=drops, specks=specks)
    watch = Watch(Manifest(labels=LABELS), ZONES, LINES)
    run_pipeline(source, exact_segmenter(), [noting], watch=watch)
    return noting.frames


def longest_pause_s(frames):
    times = [time_s for time_s, _ in frames]
    return max(b - a for a, b in pairwise(times))


def told(event):
    more = event.direction if event.kind == "cross" else event.count
    return event.kind, event.place, event.label, more


def in_order(events):
    """Return events place by place: those of one instant come in any order."""
    return sorted(events, key=lambda event: (event[1], event[0], event[4]))


@pytest.mark.parametrize(
    ("losses", "specks"), [*((name, 0.0) for name in LOSSES), ("some", 0.01)]
)
@pytest.mark.parametrize("rate", RATES)
def test_every_event_is_that_of_the_truth(rate, losses, specks):
    frames = watched(rate, losses, specks)
    events = [event for _, found in frames for event in found.events]
    found = in_order([(*told(event), event.since_s) for event in events])
    truth = in_order(TRUTH)
    assert [event[:4] for event in found] == [event[:4] for event in truth]
    # it began between two frames; a line counts from where a thing is clearly beyond
    # it, which the dog is a sixth of a second later
    pause = longest_pause_s(frames) + 1e-6
    for (*_, since), (*what, begins) in zip(found, truth, strict=True):
        assert begins - pause <= since <= begins + pause + 0.2, what


@pytest.mark.parametrize("rate", RATES)
def test_what_lasts_is_waited_for_and_no_longer(rate):
    frames = watched(rate)
    waits = {"enter": 0.5, "leave": 1.0, "dwell": 3.0, "cross": 0.0}
    for _, found in frames:
        for event in found.events:
            if event.kind == "count":
                continue
            waited = event.time_s - event.since_s
            assert waits[event.kind] - 1e-6 <= waited < waits[event.kind] + 1 / rate


@pytest.mark.parametrize("rate", RATES)
def test_shares_and_counts_of_every_frame_are_those_of_the_truth(rate):
    scene = Gliding(GLIDERS, rate, SECONDS)
    for time_s, found in watched(rate):
        part = scene.ids(time_s)[100:420, 40:240]
        share = (part == PERSON).mean()
        here = found.zones["door"].get("person")
        assert (here.share if here else 0) == pytest.approx(share, abs=0.01)
    counts = {
        round(time_s, 3): found.zones["door"]["person"].count
        for time_s, found in watched(rate)
        if "person" in found.zones["door"]
    }
    assert [counts[at] for at in (5.0, 6.0, 7.0, 9.0, 12.0)] == [0, 1, 2, 2, 1]


@pytest.mark.parametrize("losses", LOSSES)
@pytest.mark.parametrize("rate", RATES)
def test_a_thing_keeps_its_number_and_knows_its_path(rate, losses):
    gliders = [glider for glider in GLIDERS if glider is not FAST]
    frames = watched(rate, losses)
    numbers, ages = {}, {}
    for time_s, found in frames:
        for thing in found.things:
            for index, glider in enumerate(gliders):
                middle = glider.at(time_s)
                if (
                    middle is not None
                    and 20 < middle[0] < 620
                    and glider.class_id == thing.blob.class_id
                    and np.hypot(*np.subtract(thing.blob.centroid, middle)) < 25
                ):
                    numbers.setdefault(index, set()).add(thing.id)
                    ages[index] = thing.age_s, thing.path
    assert sorted(numbers) == list(range(len(gliders)))
    assert all(len(found) == 1 for found in numbers.values()), numbers
    assert ages[0][0] == pytest.approx(17, abs=1.5)
    xs = [x for x, _, at_s in ages[0][1] if at_s > 14]  # it walks to the right
    assert len(xs) > 5
    assert xs == sorted(xs)
