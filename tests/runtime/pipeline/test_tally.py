from __future__ import annotations

import numpy as np

from edgeseg.runtime import Segmentation, Tally
from edgeseg.runtime.pipeline.meter import Reservoir


def test_a_sample_does_not_grow_and_its_median_is_near():
    sample = Reservoir()
    for value in range(100_000):
        sample.add(float(value))
    assert len(sample) == 4096
    # four standard errors of a median of 4096 uniform values: 4 * 0.5 / sqrt(4096)
    np.testing.assert_allclose(sample.median(), 50_000, atol=0.032 * 100_000)


def test_a_short_sample_is_exact():
    sample = Reservoir()
    for value in (5.0, 1.0, 9.0, 2.0):
        sample.add(value)
    assert sample.median() == 3.5


def test_pixels_and_times_of_all_pictures_are_counted():
    tally = Tally()
    for invoke_ms in (1.0, 3.0, 8.0):
        ids = np.array([[0, 0, 5]], np.uint8)
        tally.add(Segmentation(ids, (), {"invoke": invoke_ms}))
    assert (tally.done, tally.pixels) == (3, {0: 6, 5: 3})
    assert tally.median_ms == {"invoke": 3.0}
