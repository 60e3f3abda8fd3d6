"""A watch: which classes, which frames, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.devices import InputError
from edgeseg.runtime import Line, Manifest, Segmentation, Watch, Zone
from edgeseg.runtime.segmentation.blobs import Blob
from edgeseg.runtime.zones.presence import Lasting
from edgeseg.runtime.zones.tracking import Tracker

MANIFEST = Manifest(labels=("background", "person", "dog"))
LEFT = ((0, 0), (0.5, 0), (0.5, 1), (0, 1))


def frame(*boxes, shape=(240, 320)):
    """Return class ids with boxes of (class id, left, top, width, height)."""
    ids = np.zeros(shape, np.uint8)
    for class_id, left, top, width, height in boxes:
        ids[top : top + height, left : left + width] = class_id
    return Segmentation(ids, MANIFEST.labels, {})


def kinds(watched):
    return [(event.kind, event.label) for event in watched.events]


def test_a_picture_of_its_own_has_shares_and_counts_but_nothing_happens():
    watch = Watch(MANIFEST, [Zone("left", LEFT)])
    for _ in range(2):
        seen = watch.update(frame((1, 20, 20, 40, 60), (1, 80, 20, 40, 60)), None)
        assert seen.events == seen.things == ()
        person = seen.zones["left"]["person"]
        assert (person.count, person.present) == (2, True)
        assert person.share == pytest.approx(4800 / (160 * 240), abs=0.005)
        assert list(seen.zones["left"]) == ["person"]


def test_classes_are_those_of_the_zone_then_those_shown_then_all_but_background():
    both = frame((1, 20, 20, 40, 60), (2, 80, 20, 40, 60))
    zones = [Zone("a", LEFT, enter_s=0), Zone("b", LEFT, ("dog",), enter_s=0)]
    seen = Watch(MANIFEST, zones).update(both, 0.0)
    assert set(seen.zones["a"]) == {"person", "dog"}
    assert set(seen.zones["b"]) == {"dog"}
    seen = Watch(MANIFEST, zones, classes=["person"]).update(both, 0.0)
    assert set(seen.zones["a"]) == {"person"}
    assert {thing.blob.class_id for thing in seen.things} == {1, 2}


def test_a_thing_that_is_too_small_is_none():
    zone = Zone("left", LEFT, min_area=0.05, enter_s=0)
    watch = Watch(MANIFEST, [zone])
    assert not kinds(watch.update(frame((1, 20, 20, 40, 60)), 0.0))
    assert kinds(watch.update(frame((1, 20, 20, 70, 60)), 0.1)) == [
        ("enter", "person"),
        ("count", "person"),
    ]


def test_a_thing_stands_where_its_feet_are_if_the_zone_says_so():
    low = ((0, 0.75), (1, 0.75), (1, 1), (0, 1))
    tall = frame((1, 20, 20, 40, 200))
    watch = Watch(MANIFEST, [Zone("low", low, enter_s=0)])
    assert not kinds(watch.update(tall, 0.0))
    watch = Watch(MANIFEST, [Zone("low", low, enter_s=0, anchor="foot")])
    assert kinds(watch.update(tall, 0.0)) == [("enter", "person"), ("count", "person")]


def test_one_that_vanishes_and_comes_back_in_the_zone_has_not_left():
    zone = Zone("left", LEFT, enter_s=0, leave_s=5, dwell_s=6)
    watch = Watch(MANIFEST, [zone])
    there, empty = frame((1, 20, 20, 40, 60)), frame()
    assert len(kinds(watch.update(there, 0.0))) == 2
    for time_s in range(1, 5):  # longer than a thing is remembered
        assert not kinds(watch.update(empty, float(time_s)))
    seen = watch.update(there, 4.5)
    assert seen.things[0].id == 2
    assert seen.zones["left"]["person"].count == 1
    dwells = watch.update(there, 6.0)
    assert kinds(dwells) == [("dwell", "person")]
    assert dwells.events[0].seconds == 6.0
    assert not kinds(watch.update(empty, 10.9))
    assert kinds(watch.update(empty, 11.0)) == [
        ("leave", "person"),
        ("count", "person"),
    ]


def test_presence_by_threshold_stays_until_half_of_it():
    zone = Zone("left", LEFT, ("dog",), threshold=0.4, enter_s=0, leave_s=0)
    watch = Watch(MANIFEST, [zone])
    present = []
    for index, width in enumerate((60, 70, 60, 40, 30, 60)):  # of 160
        seen = watch.update(frame((2, 0, 0, width, 240)), index / 10)
        present.append(seen.zones["left"]["dog"].present)
    assert present == [False, True, True, True, False, False]


def test_frames_of_another_size_keep_what_is_known():
    watch = Watch(MANIFEST, [Zone("left", LEFT)], [Line("gate", ((0.5, 0), (0.5, 1)))])
    watch.update(frame((1, 200, 20, 40, 60)), 0.0)
    seen = watch.update(frame((1, 100, 20, 40, 60)), 0.5)
    assert seen.lines == {"gate": {"in": 1, "out": 0}}
    larger = frame((1, 200, 40, 80, 120), shape=(480, 640))
    assert watch.update(larger, 0.6).lines == {"gate": {"in": 1, "out": 0}}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Zone("", LEFT), "zone: name: expected 1 to 40 characters"),
        (lambda: Zone("a/b", LEFT), "got 'a/b'"),
        (lambda: Zone("a", LEFT, enter_s=-1), "zone a: enter_s: expected 0 or more"),
        (
            lambda: Zone("a", LEFT, threshold=0),
            "threshold: expected more than 0, at m",
        ),
        (
            lambda: Zone("a", LEFT, min_area=float("nan")),
            "min_area: expected 0 or more",
        ),
        (
            lambda: Zone("a", LEFT, anchor="head"),
            "anchor: expected centre or foot",
        ),
        (lambda: Line("a", LEFT), "line a: points: expected 2 points"),
        (lambda: Line("a", LEFT[:2], directions=("x", "x")), "expected two names such"),
        (
            lambda: Watch(MANIFEST, [Zone("a", LEFT, ("cat",))]),
            "zone a: classes: unknown class 'cat'; known: background, person, dog",
        ),
        (
            lambda: Watch(MANIFEST, [Zone("a", LEFT)], [Line("a", LEFT[:2])]),
            "expected a name of its own for each, got 'a' more often",
        ),
        (
            lambda: Watch(MANIFEST, [Zone("a", ((2, 2), (400, 2), (2, 9)))]).update(
                frame(), 0.0
            ),
            "zone a: points: they reach to 400,9, but the frame is 320x240",
        ),
        (
            lambda: Watch(MANIFEST, [Zone("a", ((2, 2), (2.2, 2), (2, 2.3)))]).update(
                frame(), 0.0
            ),
            "zone a: points: expected an area, got one between the pixels of a frame",
        ),
        (
            lambda: Watch(MANIFEST, [], [Line("a", ((2, 2), (2, 300)))]).update(
                frame(), 0.0
            ),
            "line a: points: they reach to 2,300, but the frame is 320x240",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_name_and_key(make, message):
    with pytest.raises(InputError) as refused:
        make()
    assert message in str(refused.value)


@given(st.integers(0, 2**32 - 1), st.floats(5, 30), st.floats(0, 0.3))
def test_things_that_are_apart_keep_their_numbers(seed, fps, lost):
    random = np.random.default_rng(seed)
    places = np.array([[100.0, 100.0], [400.0, 120.0], [250.0, 400.0]])
    speeds = random.uniform(-60, 60, places.shape)
    tracker, numbers = Tracker(), []
    for index in range(int(3 * fps)):
        if index and random.random() < lost:
            continue
        at = places + speeds * min(index / fps, 1.5)
        order = random.permutation(3)
        blobs = [
            Blob(1, 900, (int(x) - 15, int(y) - 15, 30, 30), (float(x), float(y)))
            for x, y in (at + random.normal(0, 1, at.shape))[order]
        ]
        tracks = tracker.update(blobs, index / fps)
        ids = {int(place): t.id for place, t in zip(order, tracks, strict=True)}
        numbers.append([ids[place] for place in range(3)])
        assert [t.blob for t in tracks] == blobs
    assert all(one == numbers[0] for one in numbers)


def test_a_clock_that_goes_back_starts_anew():
    tracker, blob = Tracker(), Blob(1, 900, (0, 0, 30, 30), (15.0, 15.0))
    assert [tracker.update([blob], at)[0].id for at in (0.0, 1.0, 0.5)] == [1, 1, 2]


@given(st.lists(st.booleans(), max_size=40), st.floats(0, 2), st.floats(0, 2))
def test_what_lasts_changes_only_after_it_has_held(seen, on_s, off_s):
    there, holds_s, before = Lasting(on_s, off_s), 0.0, None
    for index, one in enumerate(seen):
        holds_s = holds_s + 0.25 if one == before else 0.0
        before = one
        changed = there.update(one, index / 4)
        if changed:
            assert there.value == one
            assert holds_s >= (on_s if one else off_s) - 1e-5
        elif one != there.value:
            assert holds_s < (on_s if one else off_s)
