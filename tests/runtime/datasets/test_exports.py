"""What single layouts have of their own, as tools and people write it."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
from layout_writers import WRITERS, Picture, save_json, save_text
from layouts import HW, LABELS, SPLIT, save, scenes

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.open import open_dataset
from edgeseg.runtime.model.labels import VOID

FRAME, TRUTH = scenes()[0]
ONE = [Picture("one", FRAME, TRUTH)]
SQUARE = [[4.0, 3.0], [12.0, 3.0], [12.0, 9.0], [4.0, 9.0]]


def frame_file(path):
    save(path, FRAME)
    return path


# COCO


def coco(root, annotations, categories=None, *, file="annotations/instances_val.json"):
    """Write a COCO file of one picture, ``a.jpg``."""
    categories = categories or [{"id": 3, "name": "crack"}, {"id": 7, "name": "hole"}]
    images = [{"id": 1, "file_name": "a.jpg", "height": HW[0], "width": HW[1]}]
    content = {
        "images": images,
        "annotations": [
            {"id": i, "image_id": 1} | a for i, a in enumerate(annotations)
        ],
        "categories": categories,
    }
    save_json(root / file, content)
    return root


def square(category, **more):
    flat = [value for corner in SQUARE for value in corner]
    return {"category_id": category, "segmentation": [flat], **more}


@pytest.mark.parametrize(
    ("file", "picture", "split"),
    [
        ("annotations/instances_val2017.json", "val2017/a.jpg", "val"),
        ("annotations/instances_default.json", "images/a.jpg", "train"),
        ("annotations/instances_Train.json", "images/Train/a.jpg", "Train"),
        ("valid/_annotations.coco.json", "valid/a.jpg", "val"),
        ("_annotations.coco.json", "a.jpg", "val"),
        ("result.json", "images/a.jpg", "val"),
    ],
)
def test_coco_files_are_found_where_tools_put_them(file, picture, split, tmp_path):
    frame_file(tmp_path / picture)
    dataset = open_dataset(coco(tmp_path, [square(7)], file=file), split)
    assert dataset.picture_path("a") == tmp_path / picture
    assert dataset.labels == ("background", "crack", "hole")
    truth = dataset.truth("a")
    assert (truth == 2).sum() == 8 * 6  # corners are points between pixels
    assert truth[3, 4] == 2
    assert truth[9, 12] == 0


@pytest.mark.parametrize(
    ("file", "below"), [("instances_val2017.json", VOID), ("instances_val.json", 2)]
)
def test_coco_smaller_objects_are_on_top_and_crowds_below(file, below, tmp_path):
    frame_file(tmp_path / "images/a.jpg")
    whole = {"size": list(HW), "counts": [0, HW[0] * HW[1]]}
    small = {"category_id": 3, "segmentation": [[5, 4, 8, 4, 8, 7, 5, 7]]}
    crowd = {"category_id": 7, "segmentation": whole, "iscrowd": 1}
    coco(tmp_path, [small, square(7), crowd], file=f"annotations/{file}")
    truth = open_dataset(tmp_path, "val").truth("a")
    assert truth[5, 6] == 1
    assert truth[3, 4] == 2
    assert truth[0, 0] == below


def test_coco_objects_with_a_box_only_are_void(tmp_path):
    frame_file(tmp_path / "images/a.jpg")
    box = {"category_id": 3, "bbox": [0, 0, 4, 3], "segmentation": []}
    truth = open_dataset(coco(tmp_path, [box, square(7)]), "val").truth("a")
    assert (truth == VOID).sum() == 12
    with pytest.raises(InputError, match="has boxes only"):
        open_dataset(coco(tmp_path, [box]), "val")


def test_coco_the_group_that_roboflow_lists_is_no_class(tmp_path):
    frame_file(tmp_path / "images/a.jpg")
    categories = [
        {"id": 0, "name": "defects", "supercategory": "none"},
        {"id": 1, "name": "crack", "supercategory": "defects"},
        {"id": 2, "name": "hole", "supercategory": "defects"},
    ]
    dataset = open_dataset(coco(tmp_path, [square(2)], categories), "val")
    assert dataset.labels == ("background", "crack", "hole")
    assert set(np.unique(dataset.truth("a"))) == {0, 2}


# CVAT and colours


def test_cvat_label_map_is_no_list_and_background_is_first(tmp_path):
    WRITERS["cvat"](tmp_path, ONE, ("crack", "background", "hole", "x"), "default")
    dataset = open_dataset(tmp_path, "whatever")
    assert dataset.labels == ("background", "crack", "hole", "x")
    swapped = np.where(TRUTH < 2, 1 - TRUTH, TRUTH)
    np.testing.assert_array_equal(dataset.truth("one"), swapped)


@pytest.mark.parametrize(
    "line",
    [
        "crack",
        "crack:1,2::",
        "x::",
        "crack:1,2,300::",
        "background:9,9,9::",
        ":1,2,3::",
    ],
)
def test_cvat_a_label_map_that_is_none_is_refused(line, tmp_path):
    WRITERS["cvat"](tmp_path, ONE, LABELS, SPLIT)
    with (tmp_path / "labelmap.txt").open("a") as file:
        file.write(f"\n{line}\n")
    with pytest.raises(InputError, match=r"labelmap\.txt, line 6: expected|was there"):
        open_dataset(tmp_path, SPLIT)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("class_dict.csv", "{name},{r},{g},{b}"),
        ("label_colors.txt", "{r} {g} {b}\t\t{name}"),
        ("colors.txt", "{name} {r} {g} {b}"),
    ],
)
def test_tables_of_colours_in_their_usual_forms(name, line, tmp_path):
    heading = "name,r,g,b\n" if name.endswith(".csv") else ""
    colours = {"background": (0, 0, 0), "traffic light": (1, 2, 3), "Void": (9, 9, 9)}
    if name.endswith(".csv"):
        colours = {key.replace(" ", "_"): value for key, value in colours.items()}
    rows = [line.format(name=key, r=r, g=g, b=b) for key, (r, g, b) in colours.items()]
    save_text(tmp_path / name, heading + "\n".join(rows) + "\n")
    frame_file(tmp_path / "images" / "a.jpg")
    mask = np.zeros((*HW, 3), np.uint8)
    mask[0], mask[1] = (1, 2, 3), (9, 9, 9)
    save(tmp_path / "masks" / "a.png", mask)
    dataset = open_dataset(tmp_path, "val")
    assert [label.replace("_", " ") for label in dataset.labels] == [
        "background",
        "traffic light",
    ]
    truth = dataset.truth("a")
    assert (truth[0, 0], truth[1, 0], truth[2, 0]) == (1, VOID, 0)


# LabelMe


def labelme(root, shapes, **more):
    content = {
        "version": "5.5.0",
        "flags": {},
        "shapes": shapes,
        "imagePath": "a.jpg",
        "imageData": None,
        "imageHeight": HW[0],
        "imageWidth": HW[1],
    }
    save_json(root / "a.json", content | more)
    return root


def shape(label, points, kind="polygon"):
    return {"label": label, "points": points, "shape_type": kind, "flags": {}}


def test_labelme_takes_a_picture_that_is_inside_its_file(tmp_path):
    path = frame_file(tmp_path / "elsewhere" / "a.png")
    data = base64.b64encode(path.read_bytes()).decode()
    root = tmp_path / "mine"
    labelme(root, [shape("hole", SQUARE)], imageData=data, imagePath="..\\x\\a.png")
    dataset = open_dataset(root, "val")
    np.testing.assert_array_equal(dataset.picture("a"), FRAME)
    assert (dataset.truth("a") == 1).sum() == 9 * 7
    data = base64.b64encode(b"no picture").decode()
    labelme(root, [shape("hole", SQUARE)], imageData=data)
    with pytest.raises(InputError, match=r"a\.json, imageData"):
        open_dataset(root, "val").picture("a")


def test_labelme_later_shapes_are_on_top_and_classes_are_sorted(tmp_path):
    frame_file(tmp_path / "a.jpg")
    circle = shape("crack", [[8, 6], [10, 6]], "circle")
    labelme(tmp_path, [shape("hole", SQUARE), circle])
    dataset = open_dataset(tmp_path, "val")
    assert dataset.labels == ("background", "crack", "hole")
    truth = dataset.truth("a")
    assert (truth[6, 8], truth[3, 4]) == (1, 2)


def test_labelme_draws_what_labelme_draws(tmp_path):
    theirs = pytest.importorskip("labelme.utils", reason="needs labelme")
    frame_file(tmp_path / "a.jpg")
    shapes = [
        shape("a", [[2.5, 2.5], [28.2, 4.1], [17.7, 20.9], [9.9, 8.8]]),
        shape("b", [[20.5, 3.5], [30.5, 11.5]], "rectangle"),
        shape("c", [[8, 15], [11, 17]], "circle"),
        shape("d", [[3, 22], [30, 18]], "line"),
        shape("e", [[1, 1], [5, 9], [12, 3]], "linestrip"),
        shape("f", [[25, 15]], "point"),
    ]
    labelme(tmp_path, shapes)
    ids = {"_background_": 0} | {each["label"]: i for i, each in enumerate(shapes, 1)}
    expected, _ = theirs.shapes_to_label(HW, shapes, ids)
    np.testing.assert_array_equal(open_dataset(tmp_path, "val").truth("a"), expected)


# YOLO


def yolo(root, lines, yaml="names: [crack, hole]\ntrain: ../train/images\n"):
    pytest.importorskip("yaml", reason="needs the extra `datasets`")
    frame_file(root / "train" / "images" / "a.jpg")
    save_text(root / "train" / "labels" / "a.txt", "\n".join(lines))
    save_text(root / "data.yaml", yaml)
    return root


def row(number, points):
    corners = np.array(points) / (HW[1], HW[0])
    return " ".join([str(number), *(f"{value:.6f}" for value in corners.ravel())])


def test_yolo_paths_of_other_machines_are_found(tmp_path):
    dataset = open_dataset(yolo(tmp_path, [row(1, SQUARE)]), "train")
    assert dataset.labels == ("background", "crack", "hole")
    assert (dataset.truth("a") == 2).sum() == 9 * 7  # corners are pixels
    save_text(
        tmp_path / "data.yaml",
        "path: /content/x\ntrain: /content/x/train/images\nnames: {0: a, 1: b}\n",
    )
    assert open_dataset(tmp_path, "train").ids == ("a",)


def test_yolo_a_picture_without_a_file_has_no_objects(tmp_path):
    yolo(tmp_path, [row(0, SQUARE)])
    frame_file(tmp_path / "train" / "images" / "b.jpg")
    dataset = open_dataset(tmp_path, "train")
    assert not dataset.truth("b").any()


def test_yolo_boxes_are_void_and_boxes_alone_are_refused(tmp_path):
    box = "0 0.5 0.5 0.25 0.25"
    truth = open_dataset(yolo(tmp_path, [box, row(1, SQUARE)]), "train").truth("a")
    assert truth[HW[0] // 2, HW[1] // 2] == VOID
    with pytest.raises(InputError, match="data set of boxes"):
        open_dataset(yolo(tmp_path, [box]), "train")


def test_yolo_a_list_of_pictures_as_cvat_writes_it(tmp_path):
    yolo(tmp_path, [row(0, SQUARE)], "path: ./\ntrain: train.txt\nnames: {0: crack}\n")
    save_text(tmp_path / "train.txt", "data/train/images/a.jpg\n")
    assert open_dataset(tmp_path, "train").ids == ("a",)
    save_text(tmp_path / "train.txt", "../../a.jpg\n")
    with pytest.raises(
        InputError, match=r"train\.txt, line 1: expected a picture below"
    ):
        open_dataset(tmp_path, "train")


def test_yolo_of_label_studio_has_a_list_of_classes(tmp_path):
    frame_file(tmp_path / "images" / "a.jpg")
    save_text(tmp_path / "labels" / "a.txt", row(1, SQUARE))
    save_text(tmp_path / "classes.txt", "crack\nhole\n")
    assert set(np.unique(open_dataset(tmp_path, "val").truth("a"))) == {0, 2}


# Supervisely and Label Studio


def test_supervisely_polygons_have_holes(tmp_path):
    WRITERS["supervisely"](tmp_path, ONE, LABELS, "ds0")
    file = tmp_path / "ds0" / "ann" / "one.jpg.json"
    content = json.loads(file.read_text())
    hole = [[6, 5], [10, 5], [10, 7], [6, 7]]
    points = {"exterior": SQUARE, "interior": [hole]}
    value = {"classTitle": "disc", "geometryType": "polygon", "points": points}
    file.write_text(json.dumps(content | {"objects": [value]}))
    truth = open_dataset(tmp_path, "val").truth("one")
    assert (truth == 1).sum() == 9 * 7 - 5 * 3


def test_label_studio_draws_turned_boxes_and_ellipses(tmp_path):
    WRITERS["label_studio"](tmp_path, ONE, LABELS, SPLIT)
    (file,) = tmp_path.glob("*.json")
    (task,) = json.loads(file.read_text())
    size = {"original_width": HW[1], "original_height": HW[0]}
    box = {"x": 50, "y": 25, "width": 25, "height": 25, "rotation": 90}
    ellipse = {"x": 25, "y": 75, "radiusX": 12.5, "radiusY": 12.5, "rotation": 0}
    results = [
        size | {"type": kind, "value": value | {kind: [label]}}
        for kind, value, label in (
            ("rectanglelabels", box, "a"),
            ("ellipselabels", ellipse, "b"),
            ("choices", {"choices": ["indoor"]}, "c"),
        )
    ]
    task["annotations"] = [
        {"was_cancelled": True, "result": []},
        {"was_cancelled": False, "result": results},
    ]
    file.write_text(json.dumps([task]))
    dataset = open_dataset(tmp_path, "val")
    assert dataset.labels == ("background", "a", "b")
    truth = dataset.truth("one")
    ys, xs = np.nonzero(truth == 1)
    assert (xs.min(), xs.max(), ys.min(), ys.max()) == (10, 16, 6, 14)
    assert (truth == 2).sum() == pytest.approx(np.pi * 4.5 * 3.5, rel=0.15)


def test_label_studio_brushes_are_those_of_its_converter(tmp_path):
    theirs = pytest.importorskip(
        "label_studio_converter.brush", reason="needs label-studio-converter"
    )
    WRITERS["label_studio"](tmp_path, ONE, LABELS, SPLIT)
    (file,) = tmp_path.glob("*.json")
    (task,) = json.loads(file.read_text())
    mask = np.where(TRUTH == 1, 255, 0).astype(np.uint8)
    packed = theirs.encode_rle(np.repeat(mask.ravel(), 4))
    value = {"format": "rle", "rle": packed, "brushlabels": ["a"]}
    size = {"original_width": HW[1], "original_height": HW[0]}
    task["annotations"][0]["result"] = [size | {"type": "brushlabels", "value": value}]
    file.write_text(json.dumps([task]))
    truth = open_dataset(tmp_path, "val").truth("one")
    np.testing.assert_array_equal(truth == 1, TRUTH == 1)
