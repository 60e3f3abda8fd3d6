"""Which tensors are the picture and the scores, however they are laid out."""

from __future__ import annotations

import pytest

from edgeseg.devices import InputError, ModelError, TensorSpec
from edgeseg.runtime.model.overrides import guess_manifest
from edgeseg.runtime.model.tensors import (
    as_map,
    colours_of,
    image_input,
    input_hw_of,
    scores_output,
)

HW = (48, 64)


def scores(*shape, dtype="float32", scale=0.0, name="scores"):
    return TensorSpec(name, shape, dtype, scale, 0)


@pytest.mark.parametrize(
    ("spec", "shape"),
    [
        (scores(1, 48, 64, 5), (1, 48, 64, 5)),
        (scores(1, 5, 12, 16), (1, 5, 12, 16)),
        (scores(1, 48 * 64, 5), (1, 48, 64, 5)),
        (scores(1, 5, 48 * 64), (1, 5, 48, 64)),
        (scores(1, 12 * 16, 5), (1, 12, 16, 5)),
        (scores(1, 48 * 64), (1, 48, 64, 1)),
        (scores(1, 48 * 64, dtype="int8", scale=0.1), (1, 48, 64, 1)),
        (scores(1, 48, 64), (1, 48, 64, 1)),
        (scores(48, 64), (1, 48, 64, 1)),
        (scores(48, 64, 5), (1, 48, 64, 5)),
        (scores(1, 48 * 64, dtype="int64"), (1, 48, 64)),
        (scores(1, 48, 64, dtype="int32"), (1, 48, 64)),
        (scores(48, 64, dtype="uint8"), (1, 48, 64)),
    ],
)
def test_a_list_of_cells_is_a_map(spec, shape):
    assert as_map(spec, HW).shape == shape
    assert scores_output((spec,), HW).spec.shape == shape


@pytest.mark.parametrize("shape", [(1, 1000), (1, 1001, 5), (10,), (1, 2, 3, 4, 5)])
def test_what_is_no_grid_over_the_input_is_refused(shape):
    with pytest.raises(ModelError, match="no segmentation model"):
        scores_output((scores(*shape),), HW)


def test_of_several_outputs_the_last_of_the_largest_is_taken():
    outputs = (
        scores(1, 48, 64, 5, name="deep"),
        scores(1, 48, 64, 5, name="final"),
        scores(1, 12, 16, 5, name="coarse"),
        scores(1, 1000, name="classifier"),
    )
    assert scores_output(outputs, HW).place == 1
    assert scores_output(outputs, HW, "deep").place == 0
    assert scores_output(outputs, HW, "2").place == 2
    with pytest.raises(InputError, match=r"no output 'deeper'.*0 \(deep\), 1 \(final"):
        scores_output(outputs, HW, "deeper")
    with pytest.raises(ModelError, match="no segmentation model"):
        scores_output(outputs, HW, "classifier")
    with pytest.raises(ModelError, match="none of its 2 outputs"):
        scores_output(outputs[3:] * 2, HW)


@pytest.mark.parametrize(
    ("shape", "hw", "colours"),
    [
        ((1, 48, 64, 3), HW, 3),
        ((1, 48, 64, 1), HW, 1),
        ((1, 48, 64, 4), HW, 4),
        ((1, 3, 48, 64), HW, 3),
        ((1, 1, 48, 64), HW, 1),
        ((1, 4, 48, 64), HW, 4),
    ],
)
def test_pictures_of_one_three_and_four_channels(shape, hw, colours):
    spec = image_input((scores(*shape),))
    assert (input_hw_of(spec), colours_of(spec)) == (hw, colours)
    assert guess_manifest(spec, scores(1, *hw, 2)).input_size == hw


@pytest.mark.parametrize("shape", [(1, 48, 64, 2), (2, 48, 64, 3), (1, 48, 64)])
def test_other_inputs_are_refused(shape):
    with pytest.raises(ModelError, match="1 or 4 channels"):
        image_input((scores(*shape),))
