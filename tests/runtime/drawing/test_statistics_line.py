from __future__ import annotations

import numpy as np
import pytest

from edgeseg.runtime.drawing.statistics_line import draw_statistics

LINE = "25.0 fps  latency 31/33 ms  age 70/81 ms  dropped 2"


def test_the_line_is_at_the_bottom_and_all_else_stays():
    frame = np.random.default_rng(0).integers(60, 256, (480, 640, 3), dtype=np.uint8)
    before = frame.copy()
    drawn = draw_statistics(frame, [LINE])
    np.testing.assert_array_equal(frame, before)
    np.testing.assert_array_equal(drawn[:440], frame[:440])
    assert (drawn[460:] != frame[460:]).any(axis=2).mean() > 0.9
    # white letters on at most 85; thin ones with OpenCV 4's font
    assert (drawn[455:].min(axis=2) > 150).sum() > 200


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (500, 3), (20, 30), (90, 160)])
@pytest.mark.parametrize("lines", [[], [LINE], [LINE, "61 °C"] * 4])
def test_every_size_and_count_of_lines(size, lines):
    frame = np.full((*size, 3), 90, np.uint8)
    drawn = draw_statistics(frame, lines)
    assert drawn.shape == frame.shape
    assert not np.shares_memory(drawn, frame)


def test_a_long_line_shrinks_until_it_fits():
    frame = np.zeros((120, 200, 3), np.uint8)
    drawn = draw_statistics(frame, [LINE])
    right = drawn[:, -8:].max()
    assert right == 0
    assert drawn[:, 150:190].max() > 100
