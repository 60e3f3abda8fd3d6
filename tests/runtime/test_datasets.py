from __future__ import annotations

import numpy as np
import pytest

from edgeseg.devices import InputError
from edgeseg.runtime.datasets import DATASETS, open_dataset
from edgeseg.runtime.overlay import colour_table
from edgeseg.runtime.pictures import write_ids, write_picture

TRUTH = np.array([[0, 1, 255], [2, 2, 0]], np.uint8)


@pytest.fixture
def data(tmp_path):
    write_picture(tmp_path / "JPEGImages" / "one.jpg", np.zeros((2, 3, 3), np.uint8))
    write_ids(tmp_path / "SegmentationClass" / "one.png", TRUTH, colour_table(()))
    (tmp_path / "val.txt").write_text("one\n")
    return tmp_path


@pytest.mark.parametrize("name", DATASETS.names())
def test_every_layout_refuses_a_folder_without_the_split(name, tmp_path):
    with pytest.raises(InputError, match="no split 'val'"):
        DATASETS.load(name)(tmp_path, "val")


def test_truth_keeps_its_ids_and_void(data):
    dataset = open_dataset(data, "val")
    assert dataset.ids == ("one",)
    assert dataset.picture_path("one").is_file()
    np.testing.assert_array_equal(dataset.truth("one"), TRUTH)


def test_a_list_of_its_own_replaces_the_labels(data):
    (data / "labels.txt").write_text("background\ncat\ndog\n")
    assert open_dataset(data, "val").labels == ("background", "cat", "dog")


def test_ids_without_a_label_are_refused(data):
    (data / "labels.txt").write_text("background\ncat\n")
    with pytest.raises(InputError, match=r"ids \[2\]"):
        open_dataset(data, "val").truth("one")


def test_splits_that_are_there_are_listed(data):
    with pytest.raises(InputError, match="lists there: val"):
        open_dataset(data, "train")


def test_an_empty_split_is_refused(data):
    (data / "val.txt").write_text("\n")
    with pytest.raises(InputError, match="lists no pictures"):
        open_dataset(data, "val")


def test_a_folder_of_no_known_layout_is_refused(tmp_path):
    with pytest.raises(InputError, match="no data set"):
        open_dataset(tmp_path, "val")
