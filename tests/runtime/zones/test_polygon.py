"""Polygons: what they cover, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edgeseg.devices import InputError
from edgeseg.runtime.zones.polygon import (
    area_of,
    check_simple,
    in_pixels,
    polygon_mask,
    side_of,
    touch,
)
from edgeseg.runtime.zones.zone import Zone

SQUARE = ((2.0, 3.0), (6.0, 3.0), (6.0, 8.0), (2.0, 8.0))


def winds_around(points, x, y):
    """Return whether a polygon runs around a point: by the sum of the angles."""
    corners = np.array([*points, points[0]]) - (x, y)
    angles = np.unwrap(np.arctan2(corners[:, 1], corners[:, 0]))
    return abs(angles[-1] - angles[0]) > np.pi


@st.composite
def stars(draw):
    """Give polygons without crossings: corners around a middle, of any distance."""
    count = draw(st.integers(3, 9))
    offset = draw(st.floats(0, 6))
    distances = draw(st.lists(st.floats(2, 14), min_size=count, max_size=count))
    angles = offset + 2 * np.pi * np.arange(count) / count
    x = 16 + distances * np.cos(angles)
    y = 15 + distances * np.sin(angles)
    return [(float(a), float(b)) for a, b in zip(x, y, strict=True)]


@given(stars())
def test_a_mask_holds_the_pixels_whose_middle_the_polygon_runs_around(points):
    xs, ys = np.arange(32) + 0.5, np.arange(30) + 0.5
    assume(min(abs(side_of(s, (x, y))) for s in sides(points) for x in xs for y in ys))
    expected = [[winds_around(points, x, y) for x in xs] for y in ys]
    np.testing.assert_array_equal(polygon_mask(points, xs, ys), expected)


@given(stars(), st.integers(0, 8))
def test_a_polygon_without_crossings_is_taken_from_any_corner_either_way(points, start):
    turned = [*points[start % len(points) :], *points[: start % len(points)]]
    check_simple("zone a", turned)
    check_simple("zone a", turned[::-1])
    assert area_of(turned) == pytest.approx(area_of(points[::-1]))


@given(stars())
def test_two_corners_exchanged_cross(points):
    assume(len(points) >= 4)
    crossed = [points[1], points[0], *points[2:]]
    ring = sides(crossed)
    apart = [(a, b) for a in range(len(ring)) for b in range(a + 2, len(ring))]
    meets = any(
        touch(ring[a], ring[b]) for a, b in apart if (a, b) != (0, len(ring) - 1)
    )
    if meets:
        with pytest.raises(InputError, match="does not cross itself"):
            check_simple("zone a", crossed)
    else:
        check_simple("zone a", crossed)


def sides(points):
    return list(zip(points, [*points[1:], points[0]], strict=True))


def test_the_area_of_a_mask_is_that_of_the_polygon():
    mask = polygon_mask(SQUARE, np.arange(10) + 0.5, np.arange(10) + 0.5)
    assert mask.sum() == area_of(SQUARE) == 20
    assert mask[3:8, 2:6].all()


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (((0, 0), (1, 0)), "expected 3 to 100 points in pixels"),
        (((0, 0), (1, 1), (1, 0), (0, 1)), "does not cross itself"),
        (((0, 0), (0.5, 0.5), (1, 1)), "does not cross itself|expected an area"),
        (((0, 0), (1, 0), (0, 0)), "expected each point once, got 0,0"),
        (((0, 0), (-1, 0), (1, 1)), "got -1,0"),
        (((0, 0), (float("nan"), 0), (1, 1)), "got nan,0"),
        (((0, 0), (4, 0), (4, 4), (2, 4), (2, 0.5), (2, 4.5)), "turns back|cross"),
    ],
)
def test_what_is_no_polygon_is_refused_and_named(points, message):
    with pytest.raises(InputError, match=message) as refused:
        Zone("door", points)
    assert str(refused.value).startswith("zone door: points: ")


def test_fractions_fit_any_frame_and_pixels_only_one_that_is_large_enough():
    assert in_pixels("zone a", ((0, 0.5), (1, 1), (0, 1)), (480, 640))[:2] == [
        (0, 240),
        (640, 480),
    ]
    assert in_pixels("zone a", ((0, 0), (640, 480)), (480, 640))[1] == (640, 480)
    with pytest.raises(
        InputError, match="reach to 641,480, but the frame is 640x480: expected"
    ):
        in_pixels("zone a", ((0, 0), (641, 480)), (480, 640))
