from __future__ import annotations

import itertools

import numpy as np
import pytest

from edgeseg.devices import InputError
from edgeseg.runtime import (
    CallbackSink,
    FrameSource,
    Look,
    Painter,
    PipelineOptions,
    Segmenter,
    check_source,
    run_pipeline,
)


def frames(count=5):
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (48, 64, 3), dtype=np.uint8) for _ in range(count)]


@pytest.mark.parametrize("fps", [None, 10])
@pytest.mark.parametrize("live", [True, False])
def test_frames_are_a_source(fps, live):
    endless = itertools.repeat(frames(1)[0])
    check_source(FrameSource(endless if live else frames(), fps=fps, live=live))


def test_every_frame_of_a_generator_reaches_the_function(golden_model):
    seen = []
    given = frames()
    source = FrameSource((frame for frame in given), fps=10, name="door")
    tally = run_pipeline(
        source,
        Segmenter.open(golden_model),
        [CallbackSink(lambda capture, result: seen.append((capture, result)))],
    )
    assert tally.done == 5
    assert [capture.name for capture, _ in seen] == [f"door_00000{i}" for i in range(5)]
    assert [capture.time_s for capture, _ in seen] == [0.0, 0.1, 0.2, 0.3, 0.4]
    with Segmenter.open(golden_model) as segmenter:
        for (capture, result), frame in zip(seen, given, strict=True):
            assert capture.frame is frame
            np.testing.assert_array_equal(result.ids, segmenter.segment(frame).ids)


def test_a_live_run_ends_when_the_function_has_had_enough(golden_model):
    seen = []

    def three(capture, result):
        seen.append(capture.name)
        return len(seen) < 3

    endless = itertools.repeat(frames(1)[0])
    source = FrameSource(endless, live=True)
    run_pipeline(source, Segmenter.open(golden_model), [CallbackSink(three)])
    assert 3 <= len(seen) <= 5  # those that were under way


def test_an_error_of_the_function_ends_the_run(golden_model):
    def fail(capture, result):
        raise ValueError("not mine")

    endless = itertools.repeat(frames(1)[0])
    source = FrameSource(endless)
    with pytest.raises(ValueError, match="not mine"):
        run_pipeline(source, Segmenter.open(golden_model), [CallbackSink(fail)])


def test_an_endless_run_ends_after_the_frames_asked_for(golden_model):
    endless = itertools.repeat(frames(1)[0])
    options = PipelineOptions(frames=4)
    tally = run_pipeline(
        FrameSource(endless), Segmenter.open(golden_model), [], options=options
    )
    assert tally.done == 4


def test_a_turned_view_of_a_frame_does(golden_model):
    turned = frames(1)[0][..., ::-1]  # not contiguous
    drawn = []
    with Segmenter.open(golden_model) as segmenter:
        painter = Painter(segmenter.manifest)
        for effect in ("overlay", "blur", "cutout", "hide"):
            for frame in (turned, np.ascontiguousarray(turned)):
                (capture,) = FrameSource([frame]).captures()
                result = segmenter.segment(frame)
                drawn.append(painter.draw(capture, result, Look(effect=effect)))
    for one, other in zip(drawn[::2], drawn[1::2], strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("made", "hint"),
    [
        (lambda frame: np.dstack([frame, frame[..., :1]]), r"frame\[\.\.\., :3\]"),
        (lambda frame: frame[..., 0], "COLOR_GRAY2RGB"),
        (lambda frame: frame[..., :1], "COLOR_GRAY2RGB"),
        (lambda frame: frame[None], r"frame\[0\]"),
        (lambda frame: frame.transpose(2, 0, 1), "transpose"),
        (lambda frame: frame / 255, "round"),
        (lambda frame: frame.tolist(), "expected a frame"),
    ],
    ids=["RGBA", "grey", "one channel", "batch", "channels first", "floats", "list"],
)
def test_what_is_no_frame_is_refused_with_what_makes_it_one(golden_model, made, hint):
    segmenter = Segmenter.open(golden_model)
    with pytest.raises(InputError, match=f"expected a frame.*{hint}|{hint}"):
        run_pipeline(FrameSource([made(frames(1)[0])] * 2), segmenter, [])
