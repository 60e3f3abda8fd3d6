"""One model scored: by brute force on drawn scenes, as published on real photos."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scenes import draw_dataset

from edgeseg.devices import InputError
from edgeseg.runtime import Overrides, Segmenter
from edgeseg.runtime.accuracy.evaluation import evaluate
from edgeseg.runtime.accuracy.matching import Matching, match_model
from edgeseg.runtime.accuracy.open import open_dataset
from edgeseg.runtime.accuracy.scores import confusion_matrix, scores
from edgeseg.runtime.drawing.overlay import colour_table
from edgeseg.runtime.pictures.files import write_ids
from edgeseg.runtime.sources.synthetic import LABELS

SEVEN = ("background", "cat", "cow", "dog", "horse", "person", "sheep")


@pytest.fixture
def drawn(tmp_path):
    return draw_dataset(tmp_path)


def test_score_equals_a_brute_force_count(drawn, golden_model):
    dataset = open_dataset(drawn, "val")
    with Segmenter.open(golden_model) as segmenter:
        result = evaluate(segmenter, dataset)
        counts = np.zeros((4, 3), np.int64)  # true positive, false positive, negative
        for name in dataset.ids:
            frame = np.array(Image.open(dataset.picture_path(name)).convert("RGB"))
            truth, ids = dataset.truth(name), segmenter.segment(frame).ids
            for k in range(4):
                counts[k, 0] += ((truth == k) & (ids == k)).sum()
                counts[k, 1] += ((truth != k) & (truth != 255) & (ids == k)).sum()
                counts[k, 2] += ((truth == k) & (ids != k)).sum()
    iou = counts[:, 0] / counts.sum(axis=1)
    got = [result.own.per_class_iou[name] for name in LABELS]
    np.testing.assert_allclose(got, iou, rtol=1e-12)
    np.testing.assert_allclose(result.own.miou, iou.mean(), rtol=1e-12)
    assert result.own.miou > 0.8  # the model knows its shapes


def test_mask_of_another_size_is_refused(drawn, golden_model):
    small = np.zeros((5, 5), np.uint8)
    write_ids(drawn / "SegmentationClass" / "scene3.png", small, colour_table(()))
    with (
        Segmenter.open(golden_model) as segmenter,
        pytest.raises(InputError, match="scene3 differ in size"),
    ):
        evaluate(segmenter, open_dataset(drawn, "val"))


def test_mask_with_an_unlisted_id_is_refused(drawn, golden_model):
    strange = np.full((120, 160), 77, np.uint8)
    write_ids(drawn / "SegmentationClass" / "scene3.png", strange, colour_table(()))
    with (
        Segmenter.open(golden_model) as segmenter,
        pytest.raises(InputError, match=r"ids \[77\]"),
    ):
        evaluate(segmenter, open_dataset(drawn, "val"))


# Measured apart from this project with the same weights and protocol, in percent;
# decoding and resizing may move a border pixel here and there.
PUBLISHED = [
    ("tflite-support/deeplabv3_tflite_support", 73.65, 73.87),
    ("google-coral/deeplabv3_mnv2_pascal_quant", 85.43, 85.76),
]


@pytest.mark.long
@pytest.mark.parametrize(("name", "plain", "merged"), PUBLISHED)
def test_score_of_a_published_model(name, plain, merged, shared, voc):
    model = shared / "models" / "tflite" / f"{name}.tflite"
    dataset = open_dataset(voc / "val", "val")
    maps = {}  # one pass over the pictures for both scores
    with Segmenter.open(model) as segmenter:
        result = evaluate(
            segmenter, dataset, matching=Matching(SEVEN), keep=maps.__setitem__
        )
        matched = match_model(segmenter, dataset, Matching(SEVEN, merge_others=True))
    assert len(result.pictures) == len(maps) == 225
    np.testing.assert_allclose(100 * result.own.miou, plain, atol=0.2)
    count = len(matched.labels)
    matrix = sum(
        confusion_matrix(
            matched.truth_table[dataset.truth(name)],
            matched.predicted_table[ids],
            count,
        )
        for name, ids in maps.items()
    )
    miou = scores(matrix, matched.labels, matched.chosen).miou
    np.testing.assert_allclose(100 * miou, merged, atol=0.2)


def test_model_with_another_number_of_classes_needs_labels(shared, voc):
    model = shared / "models/tflite/tflite-support/deeplabv3_tflite_support.tflite"
    with pytest.raises(ValueError, match="21"):
        Segmenter.open(model, overrides=Overrides(labels="cityscapes"))
