from __future__ import annotations

import numpy as np
import pytest

from edgeseg.devices import ModelError, TensorSpec
from edgeseg.runtime.model.head import head_of, threshold


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((1, 10), "float32"),
        ((1, 4, 4), "float32"),
        ((2, 4, 4, 3), "float32"),
        ((1, 4, 4, 3), "int64"),
        ((1, 400, 400, 300), "float32"),
    ],
)
def test_other_outputs_are_no_segmentation(shape, dtype):
    with pytest.raises(ModelError):
        head_of(TensorSpec("out", shape, dtype))


@pytest.mark.parametrize("labels", [0, 6])
@pytest.mark.parametrize(("shape", "axis"), [((1, 6, 9, 9), 1), ((1, 9, 9, 6), -1)])
def test_the_channel_axis_is_told_by_the_labels_or_the_shorter_side(
    shape, axis, labels
):
    head = head_of(TensorSpec("scores", shape, "int8", 0.1), labels=labels)
    assert (head.channel_axis, head.classes, head.grid_hw) == (axis, 6, (9, 9))


@pytest.mark.parametrize(("kind", "real"), [("probability", 0.5), ("logit", 0.0)])
def test_the_threshold_is_the_middle_as_the_tensor_stores_it(kind, real):
    spec = TensorSpec("p", (1, 1, 2, 1), "int8", 1 / 256, -128)
    output = np.zeros(spec.shape, np.int8)
    stored = threshold(output, spec, kind)
    np.testing.assert_allclose((stored + 128) / 256, real, atol=1e-12)


def test_a_float_channel_outside_0_to_1_holds_logits():
    spec = TensorSpec("z", (1, 1, 2, 1), "float32")
    inside = np.array([0.0, 1.0], np.float32)
    assert threshold(inside, spec, head_of(spec).kind) == 0.5
    assert threshold(inside * 2, spec, head_of(spec).kind) == 0.0
