"""Class names to class ids; colours; names of files."""

from __future__ import annotations

import numpy as np
import pytest
from layouts import save

from edgeseg.devices import InputError
from edgeseg.runtime.annotations.areas import Area, painted
from edgeseg.runtime.annotations.classes import Classes
from edgeseg.runtime.annotations.colours import ids_of_colours
from edgeseg.runtime.annotations.splits import choose_split, safe_name, usual_name


def test_background_comes_first_and_what_does_not_count_is_void():
    classes = Classes.of(["Crack", "_background_", "__ignore__", "hole", "Crack"], "it")
    assert classes.labels == ("_background_", "Crack", "hole")
    assert classes.ids == {"Crack": 1, "_background_": 0, "__ignore__": 255, "hole": 2}


def test_no_class_and_too_many_are_refused():
    with pytest.raises(InputError, match="it names no classes"):
        Classes.of([], "it")
    with pytest.raises(InputError, match="names 256 classes with background"):
        Classes.of([f"c{i}" for i in range(255)], "it")
    assert len(Classes.of([f"c{i}" for i in range(254)], "it").labels) == 255


def test_an_unknown_class_is_named_with_the_known_ones():
    with pytest.raises(InputError, match="file, shape 3: unknown class 'a'; known: b"):
        Classes.of(["b"], "file").id_of("a", "file, shape 3")


def test_the_smaller_area_is_on_top_or_the_later_one():
    large, small = Area(0, 0, np.ones((4, 4), bool)), Area(1, 1, np.ones((2, 2), bool))
    by_size = painted([(small, 2), (large, 1)], (4, 4), largest_first=True)
    in_order = painted([(small, 2), (large, 1)], (4, 4), largest_first=False)
    assert by_size[1, 1] == 2
    assert in_order[1, 1] == 1


@pytest.mark.parametrize(("top", "left"), [(-1, -2), (2, 3), (-9, 0), (0, 40)])
def test_what_is_placed_outside_is_cut_off(top, left):
    mask = np.ones((3, 4), bool)
    expected = np.zeros((4, 6), np.uint8)
    for y in range(4):
        for x in range(6):
            expected[y, x] = top <= y < top + 3 and left <= x < left + 4
    area = Area.placed(top, left, mask, (4, 6))
    np.testing.assert_array_equal(
        painted([(area, 1)], (4, 6), largest_first=False), expected
    )


def test_colours_without_a_class_are_named(tmp_path):
    pixels = np.zeros((4, 5, 3), np.uint8)
    pixels[0, :2] = (1, 2, 3)
    pixels[1] = (9, 9, 9)
    save(tmp_path / "a.png", pixels)
    table = {(0, 0, 0): 0, (9, 9, 9): 7, (255, 255, 255): 255}
    with pytest.raises(InputError, match=r"2 pixels have colours of no class.* 1,2,3:"):
        ids_of_colours(tmp_path / "a.png", table)
    ids = ids_of_colours(tmp_path / "a.png", {**table, (1, 2, 3): 255})
    assert ids[0].tolist() == [255, 255, 0, 0, 0]
    assert ids[1].tolist() == [7] * 5


@pytest.mark.parametrize(
    "text", ["../a.jpg", "/etc/passwd", "a/../../b.jpg", "", "..\\a.jpg", "C:\\a.jpg"]
)
def test_a_name_that_leads_elsewhere_is_refused(text):
    with pytest.raises(InputError, match="below the data set's folder"):
        safe_name(text, "file, image 1")


def test_a_split_is_found_by_its_other_spellings(tmp_path):
    assert choose_split(tmp_path, "val", {"valid": 1, "train": 2}, "x") == ("valid", 1)
    assert choose_split(tmp_path, "night", {"default": 3}, "x") == ("default", 3)
    with pytest.raises(InputError, match=r"no split 'val'.* lists there: test, train"):
        choose_split(tmp_path, "val", {"train": 1, "test": 2}, "x")
    assert [usual_name(n) for n in ("valid", "training", "all", "a")] == [
        "val",
        "train",
        "all",
        "a",
    ]
