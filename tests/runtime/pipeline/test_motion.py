from __future__ import annotations

import cv2
import numpy as np
import pytest

from edgeseg.devices import InputError
from edgeseg.runtime import Capture, PipelineOptions, Segmenter
from edgeseg.runtime.model.head import Head
from edgeseg.runtime.pipeline.motion import MotionFinder
from edgeseg.runtime.pipeline.segmenting import Inference
from edgeseg.runtime.pipeline.smoothing import Smoother
from edgeseg.runtime.sources.synthetic import SyntheticSource

INPUT_HW, GRID_HW = (65, 65), (33, 33)


def texture(height=240, width=320, seed=0):
    """Return a picture with something to see everywhere, larger than a view of it."""
    noise = np.random.default_rng(seed).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    return cv2.resize(noise, (2 * width, 2 * height), interpolation=cv2.INTER_CUBIC)


def view(picture, left, top, height=240, width=320):
    return np.ascontiguousarray(picture[top : top + height, left : left + width])


@pytest.mark.parametrize(("right", "down"), [(0, 0), (10, 0), (0, -10), (-12, 8)])
@pytest.mark.parametrize("fit", ["letterbox", "stretch"])
def test_a_view_that_moves_is_found_to_move(right, down, fit):
    picture, finder = texture(), MotionFinder(INPUT_HW, GRID_HW, fit)
    assert finder.find(view(picture, 100, 100)) is None
    motion = finder.find(view(picture, 100 + right, 100 + down))
    down_cells = GRID_HW[0] if fit == "stretch" else GRID_HW[0] * 49 / 65
    inner = (slice(5, 20), slice(5, 28))  # what both views show
    columns, rows = np.meshgrid(*map(np.arange, GRID_HW))
    moved_x, moved_y = (motion.columns - columns)[inner], (motion.rows - rows)[inner]
    assert np.median(moved_x) == pytest.approx(right * GRID_HW[1] / 320, abs=0.15)
    assert np.median(moved_y) == pytest.approx(down * down_cells / 240, abs=0.15)
    assert np.median(motion.trust[inner]) > 0.9
    assert motion.trust.shape == motion.rows.shape == motion.columns.shape == GRID_HW


def test_another_picture_is_not_trusted():
    finder = MotionFinder(INPUT_HW, GRID_HW, "stretch")
    finder.find(view(texture(seed=1), 0, 0))
    assert np.median(finder.find(view(texture(seed=2), 0, 0)).trust) < 0.3


def test_after_another_size_or_a_reset_nothing_has_moved():
    finder, picture = MotionFinder(INPUT_HW, GRID_HW, "stretch"), texture()
    finder.find(view(picture, 0, 0))
    assert finder.find(view(picture, 0, 0, 100, 320)) is None
    finder.reset()
    assert finder.find(view(picture, 0, 0, 100, 320)) is None


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3), (17, 13)])
def test_every_size(size):
    finder = MotionFinder(INPUT_HW, GRID_HW, "letterbox")
    for seed in range(2):
        frame = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
        motion = finder.find(frame)
    assert np.isfinite(motion.rows).all()
    assert motion.trust.shape == GRID_HW


HEADS = {
    "channels last": Head("logits", 2, GRID_HW, -1),
    "channels first": Head("logits", 2, GRID_HW, 1),
    "class ids": Head("labels", 0, GRID_HW, 0),
}


def output_of(mask, kind):
    """Return what a network gives for a mask ``(h, w)`` bool."""
    if kind == "class ids":
        return mask[None].astype(np.int64)
    scores = np.stack([~mask, mask], -1 if kind == "channels last" else 0)
    return scores[None].astype(np.int8) * 100


def ids_in(answer, kind):
    if kind == "class ids":
        return answer[0]
    return answer[0].argmax(-1 if kind == "channels last" else 0)


@pytest.mark.parametrize("kind", HEADS)
def test_what_stays_moves_with_the_picture(kind):
    picture = texture()
    finder = MotionFinder(INPUT_HW, GRID_HW, "stretch")
    still, following = Smoother(0.8, HEADS[kind]), Smoother(0.8, HEADS[kind])
    wrong = {"still": 0, "following": 0}
    for step in range(8):
        motion = finder.find(view(picture, 10 * step, 0))  # a cell is ten pixels wide
        mask = np.zeros(GRID_HW, bool)
        mask[8:24, 20 - step : 28 - step] = True
        output = output_of(mask, kind)
        before = output.copy()
        for name, smoother, by in (
            ("still", still, None),
            ("following", following, motion),
        ):
            wrong[name] += (ids_in(smoother.smooth(output, by), kind) != mask).sum()
        np.testing.assert_array_equal(output, before)
    assert wrong["following"] < 0.2 * wrong["still"]


def test_a_run_that_follows_motion_is_steady_and_has_no_trail(golden_model):
    """A drawn scene that moves, with noise of its own in every frame."""
    source, rng = SyntheticSource("160x120,seed=5,frames=24"), np.random.default_rng(0)
    scenes = [source.scene(2 * index) for index in range(24)]
    frames = [
        (frame + rng.normal(0, 12, frame.shape)).clip(0, 255).astype(np.uint8)
        for frame, _ in scenes
    ]
    right = {}
    with Segmenter.open(golden_model) as model:
        for follow in (False, True):
            options = PipelineOptions(smoothing=0.8, follow_motion=follow)
            inference = Inference(model, options)
            ids = [
                inference.segment(Capture(frame, "a", index / 25)).ids
                for index, frame in enumerate(frames)
            ]
            truths = [truth for _, truth in scenes]
            right[follow] = np.mean(np.equal(ids, truths))
    assert right[True] > right[False] + 0.01


def test_motion_is_followed_by_smoothing_only():
    with pytest.raises(InputError, match="follow motion: expected smoothing"):
        PipelineOptions(follow_motion=True)
