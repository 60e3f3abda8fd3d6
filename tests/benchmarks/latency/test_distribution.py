"""Percentiles, drift and histogram, against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from edgeseg.benchmarks.latency.distribution import (
    PERCENTILES,
    drift,
    histogram,
    summary,
)


@pytest.mark.parametrize("count", [1, 2, 7, 128, 1024, 2001])
def test_percentiles_are_measured_values(count):
    laps = np.random.default_rng(count).lognormal(3, 0.3, count).tolist()
    told = summary(laps)
    expected = np.percentile(laps, PERCENTILES, method="inverted_cdf")
    np.testing.assert_allclose([told[f"p{s:g}"] for s in PERCENTILES], expected, 1e-4)
    np.testing.assert_allclose(
        [told["mean"], told["min"], told["max"]],
        [np.mean(laps), min(laps), max(laps)],
        1e-4,
    )


def test_histogram_keeps_every_query_in_its_bin():
    laps = np.random.default_rng(0).lognormal(2, 1, 500)
    told = histogram(laps.tolist())
    edges = 10 ** ((told["first"] + np.arange(len(told["counts"]) + 1)) / 100)
    expected, _ = np.histogram(laps, edges)
    np.testing.assert_array_equal(told["counts"], expected)
    assert sum(told["counts"]) == 500


def test_drift_sees_a_slower_end():
    assert drift([10.0] * 7) is None
    np.testing.assert_allclose(drift([10.0] * 12 + [12.0] * 4), 0.2)
    np.testing.assert_allclose(drift([10.0] * 4 + [9.0] * 12), -0.1)
