from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.runtime.model.manifest import RESIZES
from edgeseg.runtime.segmentation.grid_axis import TILE, axis_of, grid_coordinates

lengths = st.integers(1, 400)
axes = st.tuples(lengths, lengths, lengths, lengths, st.sampled_from(RESIZES)).map(
    # the scaled picture lies on the canvas
    lambda drawn: (drawn[0], min(drawn[1], drawn[2]), *drawn[2:])
)


@given(axes)
def test_positions_ascend_within_the_grid(drawn):
    positions = grid_coordinates(*drawn)
    assert len(positions) == drawn[0]
    assert (np.diff(positions) >= 0).all()
    assert positions[0] >= 0
    assert positions[-1] <= drawn[3] - 1


@given(axes)
def test_low_high_and_weight_say_where_a_pixel_is(drawn):
    axis, positions = axis_of(*drawn), grid_coordinates(*drawn)
    low, high = axis.low[axis.tiles], axis.high[axis.tiles]
    np.testing.assert_allclose(
        low + (high - low) * axis.weights.astype(np.float64), positions, atol=1e-6
    )
    np.testing.assert_array_equal(low, np.floor(positions))
    np.testing.assert_array_equal(high, np.minimum(low + 1, drawn[3] - 1))


@given(axes)
def test_tiles_cover_every_pixel_once_and_are_small(drawn):
    axis = axis_of(*drawn)
    assert axis.starts[0] == 0
    assert axis.lasts[-1] == drawn[0] - 1
    np.testing.assert_array_equal(axis.lasts[:-1] + 1, axis.starts[1:])
    sizes = axis.lasts - axis.starts + 1
    assert sizes.max() <= TILE
    np.testing.assert_array_equal(np.bincount(axis.tiles), sizes)


@given(axes)
def test_a_spread_tile_holds_its_pixels_and_repeats_the_last(drawn):
    axis = axis_of(*drawn)
    for tile, (start, last) in enumerate(zip(axis.starts, axis.lasts, strict=True)):
        pixels = np.arange(start, start + len(axis.tile_pixels))
        np.testing.assert_array_equal(
            axis.tile_pixels[:, tile], np.minimum(pixels, last)
        )


@given(axes)
def test_the_reach_is_all_that_is_read(drawn):
    axis = axis_of(*drawn)
    assert axis.needed == 1 + max(axis.high.max(), axis.nearest.max())
    assert axis.needed <= drawn[3]


@pytest.mark.parametrize("resize", RESIZES)
def test_the_nearest_grid_line_rounds_halves_up(resize):
    np.testing.assert_array_equal(
        axis_of(8, 8, 8, 8, resize).nearest[:4],
        np.floor(grid_coordinates(8, 8, 8, 8, resize) + 0.5)[:4],
    )
    np.testing.assert_array_equal(
        axis_of(5, 5, 5, 3, "align-corners").nearest, [0, 1, 1, 2, 2]
    )


def test_an_axis_is_worked_out_once():
    assert axis_of(31, 17, 33, 5, "legacy") is axis_of(31, 17, 33, 5, "legacy")
    assert axis_of(31, 17, 33, 5, "legacy") is not axis_of(31, 17, 33, 6, "legacy")
