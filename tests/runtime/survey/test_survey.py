"""`edgeseg dataset`: what it finds, draws and writes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from layout_writers import WRITERS, Picture, save
from layouts import LABELS
from PIL import Image

from edgeseg.runtime.accuracy.open import open_dataset
from edgeseg.runtime.cli import main
from edgeseg.runtime.sources.synthetic import SyntheticSource
from edgeseg.runtime.survey.doubles import doubles_of, print_of

HW = (48, 64)


def pictures(first, count):
    source = SyntheticSource(f"{HW[1]}x{HW[0]},still,seed=8")
    scenes = [source.scene(first + index) for index in range(count)]
    names = [f"p{first + index}" for index in range(count)]
    return [Picture(n, *scene) for n, scene in zip(names, scenes, strict=True)]


def run(*words):
    return CliRunner().invoke(main, ["dataset", *map(str, words)])


def found(*words):
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def two_splits(tmp_path):
    root = tmp_path / "mine"
    WRITERS["coco"](root, pictures(0, 4), LABELS, "train")
    WRITERS["coco"](root, pictures(10, 3), LABELS, "val")
    return root


@pytest.mark.parametrize("layout", sorted(WRITERS))
def test_the_same_pictures_are_counted_alike_in_every_layout(layout, tmp_path):
    drawn = pictures(0, 3)
    WRITERS[layout](tmp_path / "it", drawn, LABELS, "train")
    (split,) = found(tmp_path / "it")["splits"]
    truth = np.stack([each.truth for each in drawn])
    assert [each["label"] for each in split["classes"]] == list(LABELS)
    for class_id, each in enumerate(split["classes"]):
        assert each["pixels"] == (truth == class_id).sum()
        assert each["pictures"] == (truth == class_id).any(axis=(1, 2)).sum()
    assert split["sizes"] == [{"width": 64, "height": 48, "pictures": 3}]


def test_all_splits_are_shown_or_one(two_splits):
    assert [s["pictures"] for s in found(two_splits)["splits"]] == [4, 3]
    assert [s["split"] for s in found(two_splits, "--split", "val")["splits"]] == [
        "val"
    ]
    text = run(two_splits).stdout
    assert "train: 4 pictures, all 64x48" in text
    assert "every picture has a mask that fits" in text


def test_doubles_between_splits_are_found(two_splits):
    first = two_splits / "train2017" / "p1.jpg"
    (two_splits / "val2017" / "p10.jpg").write_bytes(first.read_bytes())
    again = Image.open(two_splits / "train2017" / "p2.jpg")
    again.save(two_splits / "val2017" / "p11.jpg", quality=70)
    pairs = {
        (tuple(d["first"]), tuple(d["second"])): d["same_pixels"]
        for d in found(two_splits)["doubles"]
    }
    assert pairs == {
        (("train", "p1"), ("val", "p10")): True,
        (("train", "p2"), ("val", "p11")): False,
    }
    assert "2 pictures that are there twice, in two splits" in run(two_splits).stdout


def test_other_pictures_are_no_doubles():
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (6, 8, 3), np.uint8) for _ in range(60)]
    large = [frame.repeat(9, 0).repeat(9, 1) for frame in frames]
    prints = [("all", str(i), print_of(str(i), frame)) for i, frame in enumerate(large)]
    assert doubles_of(prints) == []


def test_what_does_not_fit_is_named_and_nothing_is_written(tmp_path):
    root = tmp_path / "mine"
    WRITERS["folder"](root, pictures(0, 4), LABELS, "train")
    save(root / "masks" / "p0.png", np.full(HW, 99, np.uint8))
    save(root / "masks" / "p1.png", np.zeros((3, 4), np.uint8))
    (root / "masks" / "p2.png").unlink()
    (root / "images" / "p3.jpg").write_bytes(b"\xff\xd8 damaged")
    save(root / "masks" / "lone.png", np.zeros(HW, np.uint8))
    save(root / "images" / "spare.jpg", np.zeros((*HW, 3), np.uint8))
    result = run(root, "--json")
    assert result.exit_code == 1
    values = json.loads(result.stdout)
    faults = values["splits"][0]["faults"]
    signs = ("ids [99]", "differ in size: 64x48 and 4x3", "p2.png", "p3.jpg")
    assert len(faults) == 4
    for fault, sign in zip(faults, signs, strict=True):
        assert sign in fault
    assert values["unused_masks"] == [str(root / "masks" / "lone.png")]
    assert values["unused_pictures"] == [str(root / "images" / "spare.jpg")]
    result = run(root, "--to", tmp_path / "copy")
    assert result.exit_code == 1
    assert "nothing is written" in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine"]


@pytest.mark.parametrize("layout", ["plain", "cvat"])
def test_a_copy_is_read_again_with_the_same_truth(layout, two_splits, tmp_path):
    copy = tmp_path / "copy"
    assert run(two_splits, "--to", copy, "--as", layout).exit_code == 0
    for split in ("train", "val"):
        before, after = open_dataset(two_splits, split), open_dataset(copy, split)
        assert after.labels == before.labels
        assert after.ids == before.ids
        for name in before.ids:
            np.testing.assert_array_equal(after.truth(name), before.truth(name))
            original = before.picture_path(name).read_bytes()
            assert after.picture_path(name).read_bytes() == original
    again = run(two_splits, "--to", copy)
    assert again.exit_code == 1
    assert "expected a new or empty folder" in again.stderr


def test_names_that_would_fall_together_get_their_split(tmp_path):
    root = tmp_path / "mine"
    for split in ("train", "valid"):
        WRITERS["roboflow"](root, pictures(0, 2), LABELS, split)
    run(root, "--to", tmp_path / "copy")
    assert open_dataset(tmp_path / "copy", "val").ids == ("valid_p0", "valid_p1")


def test_a_copy_of_one_split_has_it_by_any_name(tmp_path):
    root = tmp_path / "mine"
    WRITERS["label_studio"](root, pictures(0, 2), LABELS, "")
    run(root, "--to", tmp_path / "copy")
    assert open_dataset(tmp_path / "copy", "val").ids == ("p0", "p1")


def test_a_sheet_shows_masks_over_pictures(two_splits, tmp_path):
    assert run(two_splits, "-o", tmp_path / "sheet.png").exit_code == 0
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape[1] == 5 * 328
    # outlines have the classes' full colours
    for colour in ((128, 0, 0), (0, 128, 0)):
        assert (sheet == colour).all(axis=2).sum() > 100


def test_a_folder_of_no_layout_is_one_line(tmp_path):
    result = run(tmp_path)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: no data set in ")
    assert len(result.stderr.splitlines()) == 1


def test_concrete_defects_are_counted_alike_in_every_layout(shared, tmp_path):
    root = shared / "data" / "concrete-defects"
    if not root.is_dir():
        pytest.skip("needs shared/data/concrete-defects")
    source = open_dataset(root, "all")
    names = source.ids[::10]
    some = [Picture(name, source.picture(name), source.truth(name)) for name in names]
    counts = []
    for layout, write in WRITERS.items():
        write(tmp_path / layout, some, source.labels, "train")
        (split,) = found(tmp_path / layout)["splits"]
        counts.append(
            [(c["label"], c["pixels"], c["pictures"]) for c in split["classes"]]
        )
    assert all(each == counts[0] for each in counts)
    assert all(pixels > 1000 for _, pixels, _ in counts[0])
