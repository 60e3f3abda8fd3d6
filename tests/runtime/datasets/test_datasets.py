"""Layouts of pictures with truth: one contract for all, then what is each one's own."""

from __future__ import annotations

import numpy as np
import pytest
from layouts import (
    DRAWERS,
    HW,
    NAMES,
    OF_MASKS,
    SPLIT,
    save,
    scenes,
)

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.dataset import fingerprint, picture_with_truth
from edgeseg.runtime.accuracy.open import DATASETS, open_dataset


@pytest.fixture(params=DATASETS.names())
def layout(request):
    return request.param


@pytest.fixture
def drawn(layout, tmp_path):
    DRAWERS[layout](tmp_path)
    return tmp_path


@pytest.fixture(params=OF_MASKS)
def masks(request, tmp_path):
    DRAWERS[request.param](tmp_path)
    return tmp_path


def draw(layout, root):
    DRAWERS[layout](root)
    return root


def test_every_layout_gives_pictures_and_truth(layout, drawn):
    dataset = open_dataset(drawn, SPLIT)
    assert type(dataset) is DATASETS.load(layout)
    assert [name.split("/")[-1] for name in dataset.ids] == list(NAMES)
    assert len(dataset.labels) >= 4
    for name, (_, expected) in zip(dataset.ids, scenes(), strict=True):
        frame, truth = picture_with_truth(dataset, name)
        assert frame.shape == (*HW, 3)
        assert truth.dtype == np.uint8
        np.testing.assert_array_equal(truth, expected)


def test_every_layout_knows_itself_alone(layout, drawn):
    knows = [name for name in DATASETS.names() if DATASETS.load(name).recognizes(drawn)]
    assert knows == [layout]


def test_every_layout_refuses_a_folder_without_the_split(layout, tmp_path):
    with pytest.raises(InputError, match="no split 'val'"):
        DATASETS.load(layout)(tmp_path, "val", None)


def test_every_layout_takes_other_labels(drawn, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("".join(f"class {i}\n" for i in range(60)))
    assert open_dataset(drawn, SPLIT, labels=str(names)).labels[59] == "class 59"


def test_every_layout_of_masks_refuses_a_mask_in_colour(masks):
    dataset = open_dataset(masks, SPLIT)
    save(dataset.truth_path(dataset.ids[1]), np.zeros((*HW, 3), np.uint8))
    with pytest.raises(InputError, match=r"expected a mask of class ids.* mode RGB"):
        dataset.truth(dataset.ids[1])


def test_every_layout_of_masks_refuses_an_id_without_a_label(masks):
    dataset = open_dataset(masks, SPLIT)
    save(dataset.truth_path(dataset.ids[0]), np.full(HW, 222, np.uint8))
    with pytest.raises(InputError, match=r"ids \[222\] are neither one of"):
        dataset.truth(dataset.ids[0])


def test_every_layout_of_masks_refuses_a_mask_of_another_size(masks):
    dataset = open_dataset(masks, SPLIT)
    save(dataset.truth_path(dataset.ids[0]), np.zeros((5, 7), np.uint8))
    with pytest.raises(InputError, match="one differ in size: 32x24 and 7x5"):
        picture_with_truth(dataset, dataset.ids[0])


def test_every_layout_of_masks_names_a_picture_without_one(masks):
    dataset = open_dataset(masks, SPLIT)
    dataset.truth_path(dataset.ids[1]).unlink()
    with pytest.raises(InputError, match=r"1 of 2 pictures .* without truth: .*two"):
        open_dataset(masks, SPLIT)


# layouts whose list of pictures says more than the listing of a folder
LISTED = ("coco", "cvat", "label_studio", "labelme", "voc")


@pytest.mark.parametrize("layout", LISTED)
def test_a_layout_with_a_list_names_a_picture_that_is_missing(layout, tmp_path):
    dataset = open_dataset(draw(layout, tmp_path), SPLIT)
    dataset.picture_path(dataset.ids[1]).unlink()
    with pytest.raises(InputError, match=r"1 of 2 pictures .* without a picture file"):
        open_dataset(tmp_path, SPLIT)


def test_every_layout_refuses_a_split_without_pictures(drawn):
    for path in drawn.rglob(f"{SPLIT}.txt"):
        path.write_text("\n")
    for path in [p for p in drawn.rglob("*.*g") if "mask" not in str(p)]:
        path.unlink()
    with pytest.raises(InputError, match=r"no pictures|without a picture file"):
        open_dataset(drawn, SPLIT)


def test_fingerprint_changes_with_a_file_and_with_labels(drawn, tmp_path):
    dataset = open_dataset(drawn, SPLIT)
    before = fingerprint(dataset)
    assert fingerprint(open_dataset(drawn, SPLIT)) == before
    other = open_dataset(drawn, SPLIT, labels="ade20k")
    same = other.labels == dataset.labels
    assert (fingerprint(other) == before) == same
    with dataset.picture_path(dataset.ids[0]).open("ab") as file:
        file.write(b"\0")
    assert fingerprint(dataset) != before


def test_voc_labels_of_its_own(tmp_path):
    (draw("voc", tmp_path) / "labels.txt").write_text("a\nb\nc\n")
    dataset = open_dataset(tmp_path, SPLIT)
    assert dataset.labels == ("a", "b", "c")
    with pytest.raises(InputError, match=r"ids \[3\]"):
        dataset.truth("one")


def test_splits_that_are_there_are_listed(tmp_path):
    with pytest.raises(InputError, match="lists there: val"):
        open_dataset(draw("voc", tmp_path), "train")


def test_a_list_may_not_leave_the_folder_or_repeat(tmp_path):
    draw("voc", tmp_path)
    for text in ("../one", "/one", "one\none"):
        (tmp_path / "val.txt").write_text(text)
        with pytest.raises(InputError, match="expected"):
            open_dataset(tmp_path, "val")


def test_a_folder_of_no_known_layout_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no data set in .*images/.*JPEGImages/"):
        open_dataset(tmp_path, "val")


def test_folder_with_lists_has_these_splits_only(tmp_path):
    draw("folder", tmp_path)
    (tmp_path / "README.txt").write_text("no list of pictures\n")
    assert open_dataset(tmp_path, "val").ids == ("one", "two")
    (tmp_path / "train.txt").write_text("two\n")
    assert open_dataset(tmp_path, "train").ids == ("two",)
    with pytest.raises(InputError, match="lists there: train"):
        open_dataset(tmp_path, "val")


def test_folder_needs_labels(tmp_path):
    (draw("folder", tmp_path) / "labels.txt").unlink()
    with pytest.raises(InputError, match=r"no class names.*labels\.txt"):
        open_dataset(tmp_path, "val")
    assert len(open_dataset(tmp_path, "val", labels="pascal-voc").labels) == 21


def test_folder_with_two_pictures_of_one_stem_is_refused(tmp_path):
    save(draw("folder", tmp_path) / "images" / "one.jpg", np.zeros((*HW, 3), np.uint8))
    with pytest.raises(InputError, match="got twice: one"):
        open_dataset(tmp_path, "val")


def test_cityscapes_train_ids_are_taken_first(tmp_path):
    draw("cityscapes", tmp_path)
    dataset = open_dataset(tmp_path, "val")
    every = dataset.truth_path("town/one")
    ready = every.with_name("one_gtFine_labelTrainIds.png")
    save(ready, np.full(HW, 18, np.uint8))
    assert np.unique(dataset.truth("town/one")).tolist() == [18]


def test_cityscapes_ids_follow_the_published_table(tmp_path):
    draw("cityscapes", tmp_path)
    dataset = open_dataset(tmp_path, "val")
    path = dataset.truth_path("town/one")
    save(path, np.array([[24, 25, 26, 33, 29, 0, 255]], np.uint8))
    # person, rider, car, bicycle; caravan, unlabelled, licence plate
    named = {"person": 24, "rider": 25, "car": 26, "bicycle": 33}
    truth = dataset.truth("town/one")[0].tolist()
    assert [dataset.labels[i] for i in truth[:4]] == list(named)
    assert truth[4:] == [255, 255, 255]


STORED = np.array([[0, 1, 31, 32, 150, 255]], np.uint8)


def test_ade20k_counts_from_one(tmp_path):
    dataset = open_dataset(draw("ade20k", tmp_path), "validation")
    save(dataset.truth_path("one"), STORED)
    assert dataset.truth("one").tolist() == [[255, 0, 30, 31, 149, 255]]


def test_ade20k_as_mlperf_takes_it(tmp_path):
    dataset = open_dataset(draw("ade20k", tmp_path), "val", labels="ade20k-mlperf32")
    save(dataset.truth_path("one"), STORED)
    assert dataset.truth("one").tolist() == [[255, 1, 31, 255, 255, 255]]
    assert dataset.labels[1] == "wall"
