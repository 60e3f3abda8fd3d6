"""Every model file in the wild that is at hand: runs, or says in one line why not."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from edgeseg.devices import ModelError
from edgeseg.devices.litert import find_runtime
from edgeseg.runtime import Overrides, Segmenter
from edgeseg.runtime.pictures.files import read_picture


def models(shared, pattern):
    found = sorted((shared / "models" / "tflite").glob(pattern))
    assert found
    return found


@pytest.fixture
def photo(voc):
    return read_picture(next((voc / "val" / "JPEGImages").glob("*.jpg")))


@pytest.mark.parametrize(
    "pattern", ["google-coral/*_quant.tflite", "mlperf/*", "tfl*/*"]
)
def test_runs_and_never_changes_the_photo(pattern, shared, photo):
    before = photo.copy()
    for path in models(shared, pattern):
        with Segmenter.open(path) as segmenter:
            result = segmenter.segment(photo)
        np.testing.assert_array_equal(photo, before)
        assert result.ids.shape == photo.shape[:2]
        assert result.ids.dtype == np.uint8
        assert sum(result.areas.values()) == result.ids.size


def test_edge_tpu_files_say_that_they_need_a_coral(shared):
    for path in models(shared, "google-coral/*_edgetpu.tflite"):
        with pytest.raises(ModelError, match="needs a Coral"):
            Segmenter.open(path)


def test_a_model_that_xnnpack_refuses_runs_without_it(shared, photo, caplog):
    if find_runtime().name != "ai-edge-litert":
        pytest.skip("only LiteRT's XNNPACK refuses it")
    path = models(shared, "portrait/deeplab_aiseg_quant513.tflite")[0]
    with caplog.at_level(logging.WARNING), Segmenter.open(path) as segmenter:
        assert segmenter.segment(photo).ids.max() == 1
        assert segmenter.device.describe()["xnnpack"] == "refused by the model"
    assert "without it" in caplog.text


def test_a_model_that_nothing_prepares_is_refused(shared):
    path = models(shared, "portrait/mnv3_seg_quant.tflite")[0]
    with pytest.raises(ModelError, match="cannot be prepared"):
        Segmenter.open(path)


def test_a_foreign_label_list_is_used(shared):
    path = models(shared, "tflite-support/*.tflite")[0]
    with Segmenter.open(path) as segmenter:
        assert segmenter.manifest.labels[11] == "dining table"
        assert segmenter.manifest.palette[15] == (192, 128, 128)  # VOC's person


def test_rgb_order_agrees_better_than_bgr_with_a_reference(shared):
    """The saved maps are another network's: agreement tells order, not accuracy."""
    folder = shared / "data" / "samples" / "mlperf-ade20k-tiny"
    path = shared / "models/tflite/mlperf/deeplabv3_mnv2_ade20k_uint8.tflite"
    agreement = {}
    for bgr in (False, True):
        equal = []
        with Segmenter.open(path, overrides=Overrides(bgr=bgr)) as segmenter:
            for picture in sorted(folder.glob("*.jpg")):
                ids = segmenter.segment(read_picture(picture)).ids
                raw = folder / "saved-output" / f"{picture.stem}.raw"
                saved = np.fromfile(raw, np.uint8).reshape(512, 512)
                equal.append((saved == ids).mean())
        agreement[bgr] = np.mean(equal)
    assert agreement[False] > agreement[True] + 0.03
