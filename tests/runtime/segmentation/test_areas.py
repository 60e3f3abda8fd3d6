from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.runtime import Segmentation


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(1, 256),
    st.integers(0, 2**32 - 1),
)
def test_areas_and_centroids_are_those_of_the_ids(height, width, classes, seed):
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, classes, (height, width), dtype=np.uint8)
    result = Segmentation(ids, (), {})
    found, counts = np.unique(ids, return_counts=True)
    assert result.areas == dict(zip(found.tolist(), counts.tolist(), strict=True))
    assert list(result.areas) == sorted(result.areas)
    for class_id, (x, y) in result.centroids.items():
        rows, columns = np.nonzero(ids == class_id)
        np.testing.assert_allclose((x, y), (columns.mean(), rows.mean()))


def test_areas_of_a_very_large_picture_are_exact():
    ids = np.ones((4200, 4200), np.uint8)  # more pixels than float32 can count
    ids[0, 1] = 7
    assert Segmentation(ids, (), {}).areas == {1: 4200 * 4200 - 1, 7: 1}


def test_areas_are_counted_once():
    result = Segmentation(np.zeros((3, 4), np.uint8), (), {})
    assert result.areas is result.areas
