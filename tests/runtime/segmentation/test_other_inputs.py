"""Grey networks, and networks that see the mask of the frame before."""

from __future__ import annotations

import numpy as np
import pytest

from edgeseg.devices import TensorSpec
from edgeseg.devices.base import SpecifiedDevice
from edgeseg.runtime.capture.source import Capture
from edgeseg.runtime.model.manifest import Manifest
from edgeseg.runtime.pipeline.options import PipelineOptions
from edgeseg.runtime.pipeline.segmenting import Inference
from edgeseg.runtime.segmentation.previous_mask import foreground
from edgeseg.runtime.segmentation.segmenter import Segmenter

HW = (24, 32)


class Recorder(SpecifiedDevice):
    """Keeps what it is given, and answers with what it is told."""

    def __init__(self, given, made, answer):
        self._inputs, self._outputs = (given,), (made,)
        self.answer, self.seen = answer, []

    def infer(self, *tensors):
        self.seen.append(tensors[0].copy())
        return (self.answer,)

    def describe(self):
        return {"device": "recorder", "runtime": "", "version": "", "threads": 0}

    def close(self):
        self.seen = []


def segmenter(colours, *, dtype="float32", first=False, manifest=None, scale=0.0):
    shape = (1, colours, *HW) if first else (1, *HW, colours)
    given = TensorSpec("picture", shape, dtype, scale, 0)
    made = TensorSpec("scores", (1, HW[0] * HW[1]), "float32", 0.0, 0)
    answer = np.zeros((1, HW[0] * HW[1]), np.float32)
    answer.reshape(HW)[:, 16:] = 0.75
    return Segmenter(Recorder(given, made, answer), manifest or Manifest())


def frame(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*HW, 3), np.uint8)


@pytest.mark.parametrize("first", [False, True])
def test_a_grey_network_sees_brightness(first):
    model = segmenter(1, first=first)
    picture = frame()
    (tensor,) = [model.tensor(picture)]
    weights = np.array([0.299, 0.587, 0.114])
    expected = (picture @ weights) / 127.5 - 1
    assert tensor.shape == ((1, 1, *HW) if first else (1, *HW, 1))
    # whole grey levels: half a level is lost
    np.testing.assert_allclose(tensor.reshape(HW), expected, atol=0.6 / 127.5)


def test_a_list_of_cells_gives_two_classes():
    found = segmenter(3).segment(frame())
    assert found.areas == {0: 24 * 16, 1: 24 * 16}


@pytest.mark.parametrize("first", [False, True])
def test_the_mask_comes_fourth_and_starts_empty(first):
    model = segmenter(4, first=first)
    assert model.takes_mask
    tensor = model.tensor(frame())
    assert tensor.shape == ((1, 4, *HW) if first else (1, *HW, 4))
    planes = tensor[0] if first else np.moveaxis(tensor[0], -1, 0)
    colours = segmenter(3).tensor(frame())[0]
    np.testing.assert_array_equal(np.moveaxis(planes[:3], 0, -1), colours)
    assert not planes[3].any()


@pytest.mark.parametrize(("std", "full"), [(127.5, 1), (255, 1), (58, 1), (1, 255)])
def test_the_mask_is_as_large_as_the_pixels(std, full):
    manifest = Manifest(mean=(0,) * 3, std=(std,) * 3)
    model = segmenter(4, manifest=manifest)
    mask = np.ones(HW, np.float32)
    model.segment(frame(), mask=mask)
    assert (model.device.seen[0][..., 3] == full).all()


def test_a_stream_sees_its_own_mask_until_the_scene_changes():
    model = segmenter(4)
    inference = Inference(model, PipelineOptions())
    times = [0.0, 0.04, 0.08, 9.0]
    shots = [frame(), frame(), 255 - frame() // 8, 255 - frame() // 8]
    for time_s, shot in zip(times, shots, strict=True):
        inference.segment(Capture(shot, name="", time_s=time_s))
    masks = [tensor[0, ..., 3] for tensor in model.device.seen]
    assert [bool(mask.any()) for mask in masks] == [False, True, False, False]
    np.testing.assert_array_equal(masks[1], model.device.answer.reshape(HW))


def heads():
    """Return models' outputs that all say: the right half is there, with 75 %."""
    there = np.full(HW, 0.25, np.float32)
    there[:, 16:] = 0.75
    both = np.stack([1 - there, there], -1)[None]
    logit = np.log(there / (1 - there))
    ids = (there > 0.5).astype(np.int64)[None]
    return {
        "probability": (there[None, ..., None], "float32"),
        "logit": (8 * logit[None, ..., None], "float32"),
        "softmax": (both, "float32"),
        "logits": (np.log(both), "float32"),
        "first": (np.log(both).transpose(0, 3, 1, 2), "float32"),
        "ids": (ids, "int64"),
    }


@pytest.mark.parametrize("kind", heads())
def test_foreground_is_what_is_not_background(kind):
    answer, dtype = heads()[kind]
    given = TensorSpec("picture", (1, *HW, 4), "float32", 0.0, 0)
    made = TensorSpec("scores", answer.shape, dtype, 0.0, 0)
    model = Segmenter(Recorder(given, made, answer), Manifest())
    found = foreground(model, model.infer(model.tensor(frame())))
    assert found.shape == HW
    low, high = {"ids": (0, 1), "logit": (3**-8, 1 - 3**-8)}.get(kind, (0.25, 0.75))
    np.testing.assert_allclose(found[:, :16], low, atol=1e-3)
    np.testing.assert_allclose(found[:, 16:], high, atol=1e-3)
