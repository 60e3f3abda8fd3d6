"""Exports that Datumaro (CVAT's library of formats) and supervision really write."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from layout_writers import WRITERS, Picture
from layouts import LABELS, SPLIT, save, scenes

from edgeseg.runtime.accuracy.open import open_dataset
from edgeseg.runtime.survey.copy import write_copy

# class ids, without void
TRUTHS = {f"p{i}": np.where(t == 255, 0, t) for i, (_, t) in enumerate(scenes())}
FRAMES = {f"p{i}": frame for i, (frame, _) in enumerate(scenes())}
OBJECTS = [label for label in LABELS if label != "background"]


def check(root, split, *, exact=True):
    dataset = open_dataset(root, split)
    assert dataset.labels == LABELS
    assert sorted(dataset.ids) == sorted(TRUTHS)
    for name, expected in TRUTHS.items():
        truth = dataset.truth(name)
        if exact:
            np.testing.assert_array_equal(truth, expected)
        else:  # contours between pixels lose half a pixel at two sides
            assert (truth == expected).mean() > 0.85


@pytest.fixture
def items():
    """Return the scenes as Datumaro's data set, each class of a picture one mask."""
    components = pytest.importorskip("datumaro.components.dataset", reason="datumaro")
    from datumaro.components.annotation import AnnotationType, LabelCategories, Mask
    from datumaro.components.dataset_base import DatasetItem
    from datumaro.components.media import Image

    found = [
        DatasetItem(
            name,
            subset=SPLIT,
            media=Image.from_numpy(FRAMES[name][..., ::-1].copy(), ext=".png"),
            annotations=[
                Mask(truth == i, label=i, id=i, group=i) for i in np.unique(truth) if i
            ],
        )
        for name, truth in TRUTHS.items()
    ]
    categories = {AnnotationType.label: LabelCategories.from_iterable(LABELS)}
    return components.Dataset.from_iterable(found, categories=categories)


def test_datumaro_writes_coco_that_is_read(items, tmp_path):
    items.export(str(tmp_path), "coco_instances", save_media=True)
    check(tmp_path, SPLIT)


def test_datumaro_writes_masks_of_cvat_that_are_read(items, tmp_path):
    """CVAT's "Segmentation mask" is this exporter with its own label map."""
    items.export(
        str(tmp_path),
        "voc_segmentation",
        save_media=True,
        apply_colormap=True,
        label_map="source",
    )
    check(tmp_path, SPLIT)


def test_datumaro_imports_what_is_written_for_cvat(tmp_path):
    components = pytest.importorskip("datumaro.components.dataset", reason="datumaro")
    frames = [Picture(name, FRAMES[name], TRUTHS[name].copy()) for name in TRUTHS]
    frames[0].truth[0] = 255
    WRITERS["folder"](tmp_path / "in", frames, LABELS, SPLIT)
    dataset = open_dataset(tmp_path / "in", SPLIT)
    done = write_copy(
        [(SPLIT, dataset)], tmp_path / "out", "cvat", progress=lambda done: None
    )
    assert done == len(TRUTHS)
    read = components.Dataset.import_from(str(tmp_path / "out"), "voc_segmentation")
    (labels, *_) = read.categories().values()
    names = [label.name for label in labels]
    assert set(LABELS) <= set(names)
    for item in read:
        found = np.zeros_like(TRUTHS[item.id])
        for mask in item.annotations:
            label = names[mask.label]
            class_id = 255 if label == "ignored" else LABELS.index(label)
            found[np.asarray(mask.image, bool)] = class_id
        np.testing.assert_array_equal(found, dataset.truth(item.id))


@pytest.mark.parametrize("layout", ["coco", "yolo"])
def test_supervision_writes_what_is_read(layout, tmp_path):
    supervision = pytest.importorskip("supervision", reason="needs supervision")
    annotations = {}
    for name, whole in TRUTHS.items():
        truth = whole.copy()
        truth[1, :4] = 0  # single pixels have no polygon
        save(tmp_path / "in" / f"{name}.png", FRAMES[name])
        ids = [i for i in np.unique(truth) if i]
        masks = np.stack([truth == i for i in ids])
        annotations[str(tmp_path / "in" / f"{name}.png")] = supervision.Detections(
            xyxy=supervision.mask_to_xyxy(masks),
            mask=masks,
            class_id=np.array(ids) - 1,
        )
    data = supervision.DetectionDataset(OBJECTS, list(annotations), annotations)
    root = tmp_path / "out"
    if layout == "coco":
        data.as_coco(str(root / SPLIT), str(root / SPLIT / "_annotations.coco.json"))
    else:
        data.as_yolo(
            str(root / SPLIT / "images"),
            str(root / SPLIT / "labels"),
            str(root / "data.yaml"),
        )
    check(root, SPLIT, exact=False)


def test_labelme_itself_opens_what_is_read(tmp_path):
    """LabelMe's own reader takes the JSON of the layout's writer."""
    pytest.importorskip("labelme.utils", reason="needs labelme")
    pictures = [Picture(name, FRAMES[name], TRUTHS[name]) for name in TRUTHS]
    WRITERS["labelme"](tmp_path, pictures, LABELS, SPLIT)
    code = (
        "import sys; from labelme._label_file import LabelFile; "
        "print(len(LabelFile(sys.argv[1]).shapes))"
    )
    file = tmp_path / SPLIT / "p0.json"
    done = subprocess.run(
        [sys.executable, "-c", code, str(file)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 4
