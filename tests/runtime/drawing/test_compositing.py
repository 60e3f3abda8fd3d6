"""One picture over another: exact ends, rounded between, on every processor."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.runtime.drawing.compositing import compose


@given(st.integers(0, 255), st.integers(0, 255))
def test_composing_lies_between_its_parts(front, back):
    opacity = np.arange(256, dtype=np.uint8)[None]
    parts = [np.full((1, 256, 3), value, np.uint8) for value in (front, back)]
    drawn = compose(*parts, opacity)[0, :, 0]
    exact = (front * opacity[0].astype(float) + back * (255.0 - opacity[0])) / 255
    np.testing.assert_allclose(drawn, exact, atol=0.51)
    assert (drawn[0], drawn[255]) == (back, front)
