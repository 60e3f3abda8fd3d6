"""Results as detections of the real supervision."""

from __future__ import annotations

import numpy as np
import pytest

from edgeseg.runtime import Segmentation

LABELS = ("background", "cat", "dog")
IDS = np.zeros((20, 30), np.uint8)
IDS[3:9, 4:12], IDS[12:, 20:] = 1, 2


def test_each_class_is_one_detection():
    supervision = pytest.importorskip("supervision", reason="needs supervision")
    found = Segmentation(IDS, LABELS, {}).to_supervision()
    assert isinstance(found, supervision.Detections)
    assert found.class_id.tolist() == [1, 2]
    assert found.data["class_name"].tolist() == ["cat", "dog"]
    assert found.xyxy.tolist() == [[4, 3, 11, 8], [20, 12, 29, 19]]
    np.testing.assert_array_equal(found.mask, [IDS == 1, IDS == 2])
    frame = np.zeros((*IDS.shape, 3), np.uint8)
    drawn = supervision.MaskAnnotator().annotate(frame.copy(), found)
    np.testing.assert_array_equal(drawn.any(axis=2), IDS > 0)
    assert found[found["class_name"] == "dog"].area.tolist() == [80]


def test_a_picture_of_background_has_no_detection():
    pytest.importorskip("supervision", reason="needs supervision")
    assert len(Segmentation(np.zeros_like(IDS), LABELS, {}).to_supervision()) == 0
