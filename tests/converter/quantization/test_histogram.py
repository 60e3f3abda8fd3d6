"""How values are spread, counted in one pass."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.converter.quantization.ranges import Histogram

seeds = st.integers(0, 2**32 - 1)


def pictures(seed, scale, count=4):
    """Return skewed values whose spread grows from picture to picture."""
    random = np.random.default_rng(seed)
    shapes = random.integers(500, 2000, count)
    return [
        (random.normal(random.normal(), scale * 3**i, n) ** 3).astype(np.float32)
        for i, n in enumerate(shapes)
    ]


def filled(values):
    histogram = Histogram()
    for one in values:
        histogram.add(one)
    return histogram


def share_between(values, low, high):
    return ((values >= low) & (values <= high)).mean()


@given(seed=seeds, scale=st.floats(1e-4, 1e4), share=st.floats(0.5, 1.0))
def test_central_range_covers_its_share(seed, scale, share):
    values = pictures(seed, scale)
    histogram, everything = filled(values), np.concatenate(values)
    low, high = histogram.central(share)
    assert histogram.low <= low <= high <= histogram.high
    # 1 - share is left out at each end; a bin is kept or dropped whole
    assert share_between(everything, low, high) >= 2 * share - 1 - 1e-9
    bin_width = 4 * max(-histogram.low, histogram.high) / 4096
    for end, quantile in ((low, 1 - share), (high, share)):
        exact = np.quantile(
            everything, [max(quantile - 1e-3, 0), min(quantile + 1e-3, 1)]
        )
        assert exact[0] - bin_width <= end <= exact[1] + bin_width


@given(seed=seeds, scale=st.floats(1e-4, 1e4))
def test_extremes_are_exact(seed, scale):
    values = pictures(seed, scale)
    histogram, everything = filled(values), np.concatenate(values)
    assert (histogram.low, histogram.high) == (everything.min(), everything.max())
    assert histogram.central(1.0) == (histogram.low, histogram.high)


@given(seed=seeds)
def test_order_of_pictures_does_not_matter(seed):
    values = pictures(seed, 1.0)
    ways = (values, values[::-1])
    ranges = [filled(way).central(0.99) for way in ways]
    np.testing.assert_allclose(ranges[0], ranges[1], atol=1e-6)


def test_a_tensor_that_is_always_zero():
    histogram = filled([np.zeros((1, 4, 4, 2), np.float32)] * 2)
    assert histogram.central(0.9999) == (0.0, 0.0)


def test_one_far_value_is_left_out():
    values = np.linspace(-1, 1, 100_001, dtype=np.float32)
    values[500] = 90.0
    low, high = filled([values]).central(0.9999)
    np.testing.assert_allclose((low, high), (-1, 1), atol=2 * 128 / 4096)


def test_large_pictures_are_sampled_but_extremes_are_not():
    values = np.zeros((1, 1000, 1000), np.float32)
    values[0, 3, 1] = 7.0  # between two sampled places
    histogram = filled([values])
    assert histogram.high == 7.0
    low, high = histogram.central(0.9999)
    assert (low, high) == (0.0, 8.0 / 2048)
