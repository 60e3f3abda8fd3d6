"""Writes pictures with truth in each layout, so that it comes back exactly.

Outlines are those of the connected parts of each class, largest first, so that what is
painted over what gives the same masks. Void is written where a layout can say it.
"""

from __future__ import annotations

import base64
import csv
import io
import itertools
import json
import zlib
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from PIL import Image

from edgeseg.runtime.annotations.run_lengths import compressed
from edgeseg.runtime.model.labels import VOID, voc_palette
from edgeseg.runtime.segmentation.mask_shapes import run_lengths

IGNORE = "ignore"  # the class name of void, where outlines have one
VOID_COLOUR = (224, 224, 192)


@dataclass(frozen=True)
class Picture:
    """A name, ``(H, W, 3)`` uint8 RGB and ``(H, W)`` uint8 class ids, 255 for void."""

    name: str
    frame: np.ndarray
    truth: np.ndarray


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    settings = {"quality": 95} if path.suffix == ".jpg" else {}
    Image.fromarray(pixels).save(path, **settings)


def save_text(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def save_json(path, value):
    save_text(path, json.dumps(value))


def parts(truth):
    """Return class id and outline ``(N, 2)`` of each connected part, largest first."""
    found = []
    for class_id in np.unique(truth):
        count, marks = cv2.connectedComponents(
            (truth == class_id).astype(np.uint8), connectivity=4
        )
        for mark in range(1, count):
            mask = (marks == mark).astype(np.uint8)
            (outline, *_), _ = cv2.findContours(
                mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
            )
            outline = outline[:, 0]
            while len(outline) < 3:
                outline = np.concatenate([outline, outline[:1]])
            whole = cv2.fillPoly(np.zeros_like(mask), [outline], 1)
            found.append((int(whole.sum()), int(class_id), outline))
    found.sort(key=lambda each: -each[0])
    return [(class_id, outline) for _, class_id, outline in found]


def names_with_void(labels):
    return {**dict(enumerate(labels)), VOID: IGNORE}


def coco(root, pictures, labels, split):
    images, annotations = [], []
    for number, each in enumerate(pictures, 1):
        file = f"{each.name}.jpg"
        save(root / f"{split}2017" / file, each.frame)
        height, width = each.truth.shape
        images.append(
            {"id": number, "file_name": file, "height": height, "width": width}
        )
        for class_id in np.unique(each.truth):
            if class_id == 0:
                continue
            runs = run_lengths(each.truth == class_id)
            if class_id % 2:
                runs = {**runs, "counts": compressed(runs["counts"])}
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    # ids of categories need not be dense; a crowd is void
                    "category_id": 10 * (1 if class_id == VOID else int(class_id)),
                    "segmentation": runs,
                    "iscrowd": int(class_id == VOID),
                }
            )
    categories = [{"id": 10 * i, "name": name} for i, name in enumerate(labels) if i]
    content = {"images": images, "annotations": annotations, "categories": categories}
    save_json(root / "annotations" / f"instances_{split}2017.json", content)


def cvat(root, pictures, labels, split):
    colours = voc_palette(len(labels))
    table = np.zeros((256, 3), np.uint8)
    table[: len(labels)], table[VOID] = colours, VOID_COLOUR
    for each in pictures:
        save(root / "JPEGImages" / f"{each.name}.jpg", each.frame)
        save(root / "SegmentationClass" / f"{each.name}.png", table[each.truth])
    rows = [
        f"{name}:{r},{g},{b}::" for name, (r, g, b) in zip(labels, colours, strict=True)
    ]
    save_text(
        root / "labelmap.txt", "\n".join(["# label:color_rgb:parts:actions", *rows])
    )
    names = "\n".join(each.name for each in pictures)
    save_text(root / "ImageSets" / "Segmentation" / f"{split}.txt", names)


def roboflow(root, pictures, labels, split):
    for each in pictures:
        save(root / split / f"{each.name}.jpg", each.frame)
        save(root / split / f"{each.name}_mask.png", each.truth)
    rows = [*enumerate(labels), (VOID, IGNORE)]
    with (root / split / "_classes.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("Pixel Value", " Class"), *rows])


def labelme(root, pictures, labels, split):
    names = names_with_void(labels)
    for each in pictures:
        save(root / split / f"{each.name}.jpg", each.frame)
        height, width = each.truth.shape
        shapes = [
            {
                "label": f"__{IGNORE}__" if class_id == VOID else names[class_id],
                "points": outline.astype(float).tolist(),
                "group_id": None,
                "shape_type": "polygon",
                "flags": {},
            }
            for class_id, outline in parts(each.truth)
        ]
        content = {
            "version": "5.5.0",
            "flags": {},
            "shapes": shapes,
            "imagePath": f"{each.name}.jpg",
            "imageData": None,
            "imageHeight": height,
            "imageWidth": width,
        }
        save_json(root / split / f"{each.name}.json", content)
    save_text(root / "labels.txt", "\n".join([f"__{IGNORE}__", *labels]))


def yolo(root, pictures, labels, split):
    pytest.importorskip("yaml", reason="needs the extra `datasets`")
    names = [*labels, IGNORE]
    for each in pictures:
        save(root / "images" / split / f"{each.name}.jpg", each.frame)
        height, width = each.truth.shape
        lines = []
        for class_id, outline in parts(each.truth):
            number = len(labels) if class_id == VOID else class_id
            corners = (outline / (width, height)).ravel()
            lines.append(" ".join([str(number), *(f"{v:.6f}" for v in corners)]))
        save_text(root / "labels" / split / f"{each.name}.txt", "\n".join(lines))
    listed = "".join(f"  {i}: {name}\n" for i, name in enumerate(names))
    save_text(
        root / "data.yaml",
        f"path: /content/datasets/mine\n{split}: images/{split}\nnames:\n{listed}",
    )


def colour(root, pictures, labels, split):
    colours = {i: (i * 40 + 7, 200 - i * 30, i) for i in range(len(labels))}
    table = np.zeros((256, 3), np.uint8)
    for class_id, value in colours.items():
        table[class_id] = value
    for each in pictures:
        save(root / split / f"{each.name}.jpg", each.frame)
        save(root / f"{split}_labels" / f"{each.name}_L.png", table[each.truth])
    rows = [(name, *colours[i]) for i, name in enumerate(labels)]
    with (root / "class_dict.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [("name", "r", "g", "b"), *rows, ("Void", *map(int, table[VOID]))]
        )


def supervisely(root, pictures, labels, split):
    names = names_with_void(labels)
    for each in pictures:
        save(root / split / "img" / f"{each.name}.jpg", each.frame)
        height, width = each.truth.shape
        objects = []
        for class_id, outline in parts(each.truth):
            value = {"classTitle": names[class_id], "tags": []}
            if class_id % 2:
                value |= _bitmap(each.truth.shape, outline)
            else:
                points = {"exterior": outline.tolist(), "interior": []}
                value |= {"geometryType": "polygon", "points": points}
            objects.append(value)
        save_json(
            root / split / "ann" / f"{each.name}.jpg.json",
            {"size": {"height": height, "width": width}, "objects": objects},
        )
    classes = [
        {"title": name, "shape": "any", "color": "#FF0000"} for name in names.values()
    ]
    save_json(root / "meta.json", {"classes": classes, "tags": []})


def _bitmap(hw, outline):
    mask = cv2.fillPoly(np.zeros(hw, np.uint8), [outline], 255)
    left, top, width, height = cv2.boundingRect(outline)
    cut = mask[top : top + height, left : left + width]
    file = io.BytesIO()
    Image.fromarray(cut).convert("1").save(file, "PNG", transparency=0)
    data = base64.b64encode(zlib.compress(file.getvalue())).decode()
    return {"geometryType": "bitmap", "bitmap": {"data": data, "origin": [left, top]}}


def label_studio(root, pictures, labels, split):
    """Brushes and polygons; `split` has no place in it."""
    names, tasks = names_with_void(labels), []
    for number, each in enumerate(pictures, 1):
        save(root / "images" / f"{each.name}.jpg", each.frame)
        height, width = each.truth.shape
        results = []
        for class_id, outline in parts(each.truth):
            value = {"original_width": width, "original_height": height}
            if class_id % 2:
                mask = cv2.fillPoly(np.zeros_like(each.truth), [outline], 255)
                kind, area = "brushlabels", {"format": "rle", "rle": pack(mask)}
            else:
                points = (outline * 100 / (width, height)).tolist()
                kind, area = "polygonlabels", {"points": points, "closed": True}
            value |= {"type": kind, "value": {**area, kind: [names[class_id]]}}
            results.append(value)
        image = f"/data/upload/1/{number:08x}-{each.name}.jpg"
        annotations = [{"id": number, "was_cancelled": False, "result": results}]
        tasks.append(
            {"id": number, "data": {"image": image}, "annotations": annotations}
        )
    save_json(root / "project-1-at-2026-11-29-03-00-1a2b3c4d.json", tasks)


def pack(mask):
    """Return Label Studio's bytes of a mask ``(H, W)`` 0 and 255, all four channels."""
    values = np.repeat(mask.ravel(), 4)
    bits = [f"{values.size:032b}", f"{8 - 1:05b}", *(f"{15:04b}" for _ in range(4))]
    bounds = [0, *(np.flatnonzero(np.diff(values)) + 1), values.size]
    for start, end in itertools.pairwise(bounds):
        for first in range(start, end, 1 << 16):
            length = min(end - first, 1 << 16)
            bits.append(f"1{3:02b}{length - 1:016b}{values[first]:08b}")
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return list(int(text, 2).to_bytes(len(text) // 8, "big"))


def folder(root, pictures, labels, split):
    for each in pictures:
        save(root / "images" / f"{each.name}.jpg", each.frame)
        save(root / "masks" / f"{each.name}.png", each.truth)
    save_text(root / "labels.txt", "\n".join(labels) + "\n")
    save_text(root / f"{split}.txt", "\n".join(each.name for each in pictures))


# name of the layout: what writes it; those of other class ids are not among them
WRITERS = {
    "coco": coco,
    "cvat": cvat,
    "roboflow": roboflow,
    "labelme": labelme,
    "yolo": yolo,
    "colour": colour,
    "supervisely": supervisely,
    "label_studio": label_studio,
    "folder": folder,
}
