"""The input tensor equal to that of the plain way, frame after frame."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.benchmarks.studies.speed.plain import plain_tensor
from edgeseg.devices import TensorSpec
from edgeseg.devices.boards.fake import Fake
from edgeseg.runtime import Manifest, Segmenter
from edgeseg.runtime.model.manifest import FITS
from edgeseg.runtime.segmentation.input_tensor import InputTensor
from edgeseg.runtime.segmentation.letterbox import encoding_table

INPUT = (33, 41)
# identity, bytes moved by 128, tables of every width
SPECS = [
    TensorSpec("image", (1, *INPUT, 3), dtype, scale, zero_point)
    for dtype, scale, zero_point in (
        ("uint8", 1.0, 0),
        ("int8", 1.0, -128),
        ("uint8", 0.9, 3),
        ("int8", 0.02, -3),
        ("int16", 0.1, 0),
        ("float32", 0.0, 0),
        ("float16", 0.0, 0),
    )
]
MANIFESTS = [
    Manifest(mean=(0, 0, 0), std=(1, 1, 1)),
    Manifest(mean=(10, 20, 30), std=(1, 2, 4)),
]


def frame(rng, height, width):
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: f"{s.dtype}-{s.scale}")
@pytest.mark.parametrize("channels", ["rgb", "bgr"])
@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("values", MANIFESTS, ids=["pixels", "normalized"])
def test_every_frame_is_drawn_as_the_plain_way_does(spec, channels, fit, values):
    manifest = Manifest(
        mean=values.mean, std=values.std, channels=channels, fit=fit, pad=77
    )
    table = encoding_table(spec, manifest)
    tensor, rng = InputTensor(INPUT, table, manifest), np.random.default_rng(1)
    # twice each: padding is written once; wide after tall: it must be written again
    for height, width in (
        (9, 70),
        (9, 70),
        (80, 20),
        (80, 20),
        INPUT,
        INPUT,
        (9, 70),
    ):
        drawn = frame(rng, height, width)
        before = drawn.copy()
        got = tensor.fill(drawn)
        assert got.dtype == spec.dtype
        np.testing.assert_array_equal(got, plain_tensor(drawn, INPUT, manifest, table))
        np.testing.assert_array_equal(drawn, before)


@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**32 - 1))
def test_any_size_of_frame(height, width, seed):
    manifest = MANIFESTS[0]
    table = encoding_table(SPECS[1], manifest)
    drawn = frame(np.random.default_rng(seed), height, width)
    np.testing.assert_array_equal(
        InputTensor(INPUT, table, manifest).fill(drawn),
        plain_tensor(drawn, INPUT, manifest, table),
    )


def test_channels_first():
    manifest, spec = MANIFESTS[1], SPECS[5]
    table = encoding_table(spec, manifest)
    tensor = InputTensor(INPUT, table, manifest, channels_first=True)
    drawn = frame(np.random.default_rng(2), 50, 60)
    expected = plain_tensor(drawn, INPUT, manifest, table).transpose(0, 3, 1, 2)
    got = tensor.fill(drawn)
    np.testing.assert_array_equal(got, expected)
    assert got.flags.c_contiguous


@pytest.mark.parametrize("view", [np.s_[::-1], np.s_[:, ::-1], np.s_[..., ::-1]])
@pytest.mark.parametrize("size", [(50, 60), INPUT])
def test_views_of_frames(view, size):
    manifest = MANIFESTS[0]
    table = encoding_table(SPECS[1], manifest)
    drawn = frame(np.random.default_rng(3), *size)[view]
    np.testing.assert_array_equal(
        InputTensor(INPUT, table, manifest).fill(drawn),
        plain_tensor(np.ascontiguousarray(drawn), INPUT, manifest, table),
    )


def test_the_memory_is_used_again():
    tensor = InputTensor(INPUT, encoding_table(SPECS[1], MANIFESTS[0]), MANIFESTS[0])
    rng = np.random.default_rng(4)
    first, second = (tensor.fill(frame(rng, 50, 60)) for _ in range(2))
    assert np.shares_memory(first, second)


def test_what_a_segmenter_returns_is_not_written_to_again():
    ids = TensorSpec("ids", (1, *INPUT), "int32")
    rng = np.random.default_rng(5)
    frames = [frame(rng, 50, 60) for _ in range(2)]
    with Segmenter(Fake((SPECS[1],), (ids,)), MANIFESTS[0]) as segmenter:
        tensor, result = segmenter.tensor(frames[0]), segmenter.segment(frames[0])
        kept = tensor.copy(), result.ids.copy()
        other = segmenter.segment(frames[1])
        np.testing.assert_array_equal(tensor, kept[0])
        np.testing.assert_array_equal(result.ids, kept[1])
        assert not np.shares_memory(result.ids, other.ids)
        tensor[:] = 0
        np.testing.assert_array_equal(segmenter.segment(frames[0]).ids, kept[1])
