"""Damaged and hostile exports end in one line that names the file."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from layout_writers import WRITERS, Picture
from layouts import LABELS, SPLIT, scenes

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.dataset import picture_with_truth
from edgeseg.runtime.accuracy.open import open_dataset

OF_JSON = ("coco", "labelme", "supervisely", "label_studio")
OF_TEXT = ("cvat", "roboflow", "yolo", "colour")
WRONG = (
    None,
    -1,
    10**30,
    1e308,
    float("nan"),
    float("inf"),
    True,
    "",
    "x",
    "../../x.jpg",
    "/etc/passwd",
    "a\0b",
    [],
    [[]],
    [1],
    [["a", "b"]] * 4,
    [[1e9, 1e9]] * 4,
    [float("nan")] * 6,
    [10**12, 10**12],
    {},
    {"size": [10**6, 10**6], "counts": [10**12]},
    {"size": [24, 32], "counts": "~~~~ooooooooooooooo"},
    {"size": [24, 32], "counts": [-5, 773]},
)


def written(layout, root):
    pairs = enumerate(scenes())
    pictures = [Picture(f"p{i}", frame, truth) for i, (frame, truth) in pairs]
    WRITERS[layout](root, pictures, LABELS, SPLIT)
    return root


def refusal(root):
    """Return what is said when a data set is read: one line, or None if it is read."""
    try:
        read_all(root)
    except InputError as error:
        return str(error)
    return None


def check(text, root):
    assert len(text.splitlines()) == 1
    assert str(root) in text or "differ in size" in text


def read_all(root):
    dataset = open_dataset(root, SPLIT)
    for name in dataset.ids:
        picture_with_truth(dataset, name)


def places(value, here=()):
    """Return the path to every value in some JSON; of long lists only the first."""
    found = [here] if here else []
    if isinstance(value, dict):
        for key, each in value.items():
            found += places(each, (*here, key))
    elif isinstance(value, list):
        for index, each in enumerate(value[:2]):
            found += places(each, (*here, index))
    return found


def replaced(value, place, new):
    changed = copy.deepcopy(value)
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    if new is KeyError and isinstance(inner, dict):
        del inner[place[-1]]
    else:
        inner[place[-1]] = None if new is KeyError else new
    return changed


@pytest.mark.parametrize("layout", OF_JSON)
def test_any_value_of_an_export_may_be_wrong(layout, tmp_path):
    files = sorted(written(layout, tmp_path).rglob("*.json"))
    shortest = {path.parent.name: path for path in files}.values()
    rng, refused = np.random.default_rng(1), 0
    for path in shortest:
        good = json.loads(path.read_text())
        spots = places(good)
        for index in rng.permutation(len(spots))[:60]:
            for new in (*rng.permutation(len(WRONG))[:6], None):
                value = KeyError if new is None else WRONG[new]
                path.write_text(json.dumps(replaced(good, spots[index], value)))
                if said := refusal(tmp_path):
                    refused += 1
                    check(said, tmp_path)
        path.write_text(json.dumps(good))
    assert refused > 50
    read_all(tmp_path)


@pytest.mark.parametrize("layout", OF_JSON)
@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"3", b"null", b"\xff\xfe", b"[" * 100_000]
)
def test_a_file_that_is_no_export_is_named(layout, content, tmp_path):
    for path in written(layout, tmp_path).rglob("*.json"):
        path.write_bytes(content)
    if (layout, content) == ("label_studio", b"[]"):
        content = b""  # a list of no tasks is an export, of nothing
    with pytest.raises(InputError) as caught:
        read_all(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("layout", OF_TEXT)
def test_any_line_of_a_text_file_may_be_wrong(layout, tmp_path):
    written(layout, tmp_path)
    kinds = (".txt", ".csv", ".yaml")
    files = [path for path in tmp_path.rglob("*") if path.suffix in kinds]
    wrong = (
        "",
        "x",
        "nan nan",
        "1 nan 0.1 0.2 0.3 0.4 0.5",
        "9 1e9 0 0 0 0 0",
        "[" * 99,
    )
    lines_of_bytes = (
        *(text.encode() for text in wrong),
        b"\xff\xff",
        b"a: &a [*a, *a]",
    )
    refused = 0
    for path in files:
        good = path.read_bytes()
        lines = good.splitlines()
        for index in range(min(len(lines), 4)):
            for new in lines_of_bytes:
                path.write_bytes(b"\n".join([*lines[:index], new, *lines[index + 1 :]]))
                if said := refusal(tmp_path):
                    refused += 1
                    check(said, tmp_path)
        path.write_bytes(good)
    assert refused > 10
    read_all(tmp_path)


def test_a_list_of_more_classes_than_a_mask_holds_is_refused(tmp_path):
    written("yolo", tmp_path)
    names = "".join(f"  {i}: c{i}\n" for i in range(300))
    (tmp_path / "data.yaml").write_text(f"val: images/val\nnames:\n{names}")
    with pytest.raises(
        InputError, match=r"data\.yaml names 301 classes with background"
    ):
        read_all(tmp_path)


def test_two_pictures_of_one_name_are_refused(tmp_path):
    path = written("coco", tmp_path) / "annotations" / f"instances_{SPLIT}2017.json"
    content = json.loads(path.read_text())
    content["images"].append({**content["images"][0], "id": 77})
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="every picture once, got twice: p0"):
        read_all(tmp_path)
    content["images"][-1]["id"] = 1
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="a second image of the id 1"):
        read_all(tmp_path)


def test_annotations_of_pictures_that_are_not_listed_are_counted(tmp_path, caplog):
    path = written("coco", tmp_path) / "annotations" / f"instances_{SPLIT}2017.json"
    content = json.loads(path.read_text())
    content["annotations"][0]["image_id"] = 99
    path.write_text(json.dumps(content))
    read_all(tmp_path)
    assert "1 annotations are of images that it does not list" in caplog.text
