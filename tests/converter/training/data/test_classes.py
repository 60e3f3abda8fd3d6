"""Classes chosen, merged and refused; heads swapped by name."""

from __future__ import annotations

import numpy as np
import pytest

from edgeseg.converter.training.data.classes import (
    ChosenClasses,
    check_classes,
    id_table,
)
from edgeseg.converter.training.data.splits import open_splits
from edgeseg.converter.training.start.new_head import swap_columns
from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.open import open_dataset
from edgeseg.runtime.sources.synthetic import LABELS

OPTIONS = {
    "split": "train",
    "val_root": None,
    "val_split": "val",
    "labels": None,
    "classes": None,
    "limit": None,
    "val_limit": None,
}


def test_others_become_background_and_the_order_is_the_one_given(drawn):
    dataset = open_dataset(drawn, "train")
    name = next(n for n in dataset.ids if {1, 2, 3} <= set(np.unique(dataset.truth(n))))
    chosen = ChosenClasses(dataset, ("background", "triangle", "disc"))
    before, after = dataset.truth(name), chosen.truth(name)
    for old, new in {0: 0, 1: 2, 2: 0, 3: 1}.items():
        assert set(after[before == old]) == {new}


def test_void_stays_void():
    assert id_table(("background", "cat"), ("background",), "it")[255] == 255


def test_others_without_a_background_are_refused():
    with pytest.raises(InputError, match=r"'sky'.*name background among --classes"):
        id_table(("road", "sky"), ("road", "car"), "the data set")


@pytest.mark.parametrize("wanted", [("disc",), ("disc", "Disc"), ("disc", "house")])
def test_classes_that_cannot_be_learnt(wanted):
    with pytest.raises(InputError, match=r"no class 'house'|two or more classes"):
        check_classes(LABELS, wanted)


def test_a_tenth_is_held_out_where_there_is_no_list(drawn):
    train, val = open_splits(drawn, **OPTIONS)
    assert len(val.ids) == 6
    assert len(train.ids) == 58
    assert not set(train.ids) & set(val.ids)
    again = open_splits(drawn, **OPTIONS)
    assert again[1].ids == val.ids


def test_lists_that_share_pictures_are_refused(drawn, tmp_path):
    for kind in ("images", "masks"):
        (tmp_path / kind).symlink_to(drawn / kind)
    (tmp_path / "labels.txt").write_text("\n".join(LABELS))
    (tmp_path / "train.txt").write_text("scene_000\nscene_001\n")
    (tmp_path / "val.txt").write_text("scene_001\nscene_002\n")
    with pytest.raises(InputError, match="1 pictures are in both the lists"):
        open_splits(tmp_path, **OPTIONS)


def test_limits_take_pictures_from_the_whole_list(drawn):
    train, val = open_splits(drawn, **(OPTIONS | {"limit": 4, "val_limit": 2}))
    assert len(train.ids) == 4
    assert train.ids[-1] > "scene_040"
    assert len(val.ids) == 2


def test_columns_are_copied_by_name():
    rng = np.random.default_rng(0)
    kernel = rng.normal(0, 1, (1, 1, 5, 3)).astype(np.float32)
    bias = np.float32([1, 2, 3])
    old, new = ("background", "tv monitor", "cat"), ("other", "Cat", "fox", "tv")
    columns = swap_columns(kernel, bias, old, new, rng)
    assert columns.copied == ("other", "Cat", "tv")
    np.testing.assert_array_equal(
        columns.kernel[..., [0, 1, 3]], kernel[..., [0, 2, 1]]
    )
    np.testing.assert_array_equal(columns.bias, [1, 3, 0, 2])
    assert 0 < np.abs(columns.kernel[..., 2]).max() < 0.1
