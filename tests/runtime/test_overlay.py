from __future__ import annotations

import numpy as np
import pytest

from edgeseg.runtime import Manifest, Segmentation
from edgeseg.runtime.overlay import blend, colour_table, draw_overlay


@pytest.fixture
def frame():
    return np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)


@pytest.fixture
def ids():
    return np.random.default_rng(1).integers(0, 3, (60, 90), dtype=np.uint8)


def test_alpha_goes_from_the_frame_to_the_colours(frame, ids):
    table = colour_table(())
    np.testing.assert_array_equal(blend(frame, ids, table, alpha=0), frame)
    painted = blend(frame, ids, table, alpha=1)
    np.testing.assert_array_equal(painted[ids > 0], table[ids[ids > 0]])


@pytest.mark.parametrize("extra", ["contours", "with_legend"])
def test_each_extra_changes_the_drawing_and_not_the_frame(extra, frame):
    ids = np.zeros((60, 90), np.uint8)
    ids[20:50, 20:70] = 1
    result, manifest = Segmentation(ids, (), {}), Manifest()
    before = frame.copy()
    plain = draw_overlay(frame, result, manifest)
    assert (draw_overlay(frame, result, manifest, **{extra: True}) != plain).any()
    np.testing.assert_array_equal(frame, before)


def test_a_model_without_background_tints_everything(frame):
    result = Segmentation(np.zeros((60, 90), np.uint8), (), {})
    manifest = Manifest(labels=("road",), palette=((9, 8, 7),))
    drawn = draw_overlay(frame, result, manifest, alpha=1)
    np.testing.assert_array_equal(drawn, np.broadcast_to([9, 8, 7], frame.shape))
