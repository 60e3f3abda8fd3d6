from __future__ import annotations

import numpy as np
import pytest

from edgeseg.runtime import Capture, PipelineOptions, Segmenter
from edgeseg.runtime.model.head import Head
from edgeseg.runtime.pipeline.scene import Scene
from edgeseg.runtime.pipeline.segmenting import Inference
from edgeseg.runtime.pipeline.smoothing import Smoother
from edgeseg.runtime.sources.synthetic import SyntheticSource

SCORES = Head("logits", 4, (6, 5), -1)
LABELS = Head("labels", 0, (6, 5), 0)
FRAMES = 24


@pytest.fixture(scope="module")
def clip():
    """A moving scene with noise of its own in every frame, and its truth."""
    source = SyntheticSource(f"160x120,seed=5,frames={FRAMES}")
    rng = np.random.default_rng(0)
    frames, truths = [], []
    for index in range(FRAMES):
        frame, truth = source.scene(index // 2)
        noisy = frame + rng.normal(0, 12, frame.shape)
        frames.append(noisy.clip(0, 255).astype(np.uint8))
        truths.append(truth)
    return frames, truths


def flicker(ids, truths):
    """Return the share of pixels that change class while their truth stays."""
    changes = [
        (now != before)[then == truth].mean()
        for now, before, truth, then in zip(
            ids[1:], ids, truths[1:], truths, strict=False
        )
    ]
    return float(np.mean(changes))


def accuracy(ids, truths):
    return float(
        np.mean([(one == truth).mean() for one, truth in zip(ids, truths, strict=True)])
    )


def run(model, clip, amount):
    inference = Inference(model, PipelineOptions(smoothing=amount))
    return [
        inference.segment(Capture(frame, "a", index / 25)).ids
        for index, frame in enumerate(clip[0])
    ]


def test_smoothing_takes_flicker_away_and_keeps_the_answer(golden_model, clip):
    with Segmenter.open(golden_model) as model:
        plain, smooth = (run(model, clip, amount) for amount in (0.0, 0.6))
    assert flicker(smooth, clip[1]) < 0.7 * flicker(plain, clip[1])
    assert accuracy(smooth, clip[1]) > accuracy(plain, clip[1]) - 0.01


@pytest.mark.parametrize("head", [SCORES, LABELS])
def test_what_does_not_change_is_not_changed(head):
    rng = np.random.default_rng(0)
    shape = (1, 6, 5, 4) if head is SCORES else (1, 6, 5)
    output = rng.integers(0, 4, shape, dtype=np.int8)
    before = output.copy()
    smoother = Smoother(0.7, head)
    for _ in range(4):
        np.testing.assert_allclose(smoother.smooth(output), output, rtol=1e-5)
    np.testing.assert_array_equal(output, before)


def test_scores_are_an_exponential_moving_average():
    smoother = Smoother(0.75, SCORES)
    smoother.smooth(np.full((1, 6, 5, 4), 100, np.int8))
    mixed = smoother.smooth(np.full((1, 6, 5, 4), -20, np.int8))
    np.testing.assert_allclose(mixed, 0.75 * 100 + 0.25 * -20)


def test_ids_change_once_the_new_class_weighs_more():
    smoother = Smoother(0.6, LABELS)  # weights of the old one: 1, 0.6, 0.36
    old, new = np.full((1, 6, 5), 2, np.int64), np.full((1, 6, 5), 9, np.int64)
    smoother.smooth(old)
    assert np.unique(smoother.smooth(new)).tolist() == [2]
    assert np.unique(smoother.smooth(new)).tolist() == [9]


def test_a_class_that_is_gone_is_forgotten():
    smoother = Smoother(0.5, LABELS)
    smoother.smooth(np.full((1, 6, 5), 2, np.int64))
    for _ in range(20):
        smoother.smooth(np.full((1, 6, 5), 9, np.int64))
    assert list(smoother._weights) == [9]


def test_no_class_ids_are_left_for_whoever_reads_them():
    output = np.full((1, 6, 5), 300, np.int64)
    np.testing.assert_array_equal(Smoother(0.5, LABELS).smooth(output), output)


@pytest.mark.parametrize("change", ["scene", "size", "pause", "none"])
def test_a_change_of_scene_or_size_and_a_pause_start_anew(change):
    smoother, scene = Smoother(0.9, SCORES), Scene()
    frame = SyntheticSource("64x48,seed=1").scene(0)[0]
    assert not scene.goes_on(frame, 0.0)
    smoother.smooth(np.zeros((1, 6, 5, 4), np.int8))
    after = {
        "scene": (SyntheticSource("64x48,seed=2").scene(0)[0], 0.04),
        "size": (np.ascontiguousarray(frame[:40]), 0.04),
        "pause": (frame, 9.0),
        "none": (SyntheticSource("64x48,seed=1").scene(1)[0], 0.04),
    }
    if not scene.goes_on(*after[change]):
        smoother.reset()
    mixed = smoother.smooth(np.full((1, 6, 5, 4), 100, np.int8))
    np.testing.assert_allclose(mixed, 10 if change == "none" else 100, rtol=1e-5)
