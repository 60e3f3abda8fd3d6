"""Operators that the quantizer leaves in float, computed in int8 instead.

Each case is drawn as the quantizer would leave it, DEQUANTIZE in front and QUANTIZE
behind, and both forms are run: one step apart at most, with and without the delegate.
"""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert.tools", reason="needs the extra `convert`")

from graphs import Drawing, run
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.converter.quantization.islands import fill_islands
from edgeseg.converter.quantization.kernels import (
    KERNELS,
    steps_of,
    symmetric_steps,
    tie_ranges,
    to_int8,
)
from edgeseg.runtime.model.inspection import read_graph

SHAPE = (1, 8, 8, 4)
STEPS, OTHER = (0.05, -10), (0.07, -5)
ALPHA = np.linspace(-0.3, 0.6, 4, dtype=np.float32).reshape(1, 1, 4)
CROPS = np.zeros((2, 2), np.int32)
PAIRS = np.full(2, 2, np.int32)

# kind -> shape of the output, constants behind the first input, options
CASES = {
    "PRELU": (SHAPE, [ALPHA], {}),
    "LEAKY_RELU": (SHAPE, [], {"table": "LeakyReluOptionsT", "alpha": 0.1}),
    "ELU": (SHAPE, [], {}),
    "RELU6": (SHAPE, [], {}),
    "RELU_N1_TO_1": (SHAPE, [], {}),
    "RELU_0_TO_1": (SHAPE, [], {}),
    "NEG": (SHAPE, [], {"table": "NegOptionsT"}),
    "SQUARE": (SHAPE, [], {"table": "SquareOptionsT"}),
    "ABS": (SHAPE, [], {"table": "AbsOptionsT"}),
    "EXP": (SHAPE, [], {"table": "ExpOptionsT"}),
    "SPACE_TO_BATCH_ND": ((4, 4, 4, 4), [PAIRS, CROPS], {}),
    "SPACE_TO_DEPTH": (
        (1, 4, 4, 16),
        [],
        {"table": "SpaceToDepthOptionsT", "blockSize": 2},
    ),
    "DEPTH_TO_SPACE": (
        (1, 16, 16, 1),
        [],
        {"table": "DepthToSpaceOptionsT", "blockSize": 2},
    ),
    "TILE": ((1, 16, 8, 4), [np.array([1, 2, 1, 1], np.int32)], {}),
    "SQUEEZE": (SHAPE[1:], [], {"table": "SqueezeOptionsT", "squeezeDims": [0]}),
    "EXPAND_DIMS": ((1, *SHAPE), [np.array(0, np.int32)], {}),
    "REVERSE_V2": (SHAPE, [np.array([2], np.int32)], {}),
    "REDUCE_MAX": (
        (1, 1, 1, 4),
        [np.array([1, 2], np.int32)],
        {"table": "ReducerOptionsT", "keepDims": True},
    ),
    "MINIMUM": (
        SHAPE,
        [np.array(1.0, np.float32)],
        {"table": "MaximumMinimumOptionsT"},
    ),
    "MAXIMUM": (
        SHAPE,
        [np.array(0.5, np.float32)],
        {"table": "MaximumMinimumOptionsT"},
    ),
    "LOG_SOFTMAX": (SHAPE, [], {"table": "LogSoftmaxOptionsT"}),
    "L2_NORMALIZATION": (SHAPE, [], {"table": "L2NormOptionsT"}),
}
OUTPUT_STEPS = {
    "LOG_SOFTMAX": (16 / 256, 127),
    "L2_NORMALIZATION": (1 / 128, 0),
    "NEG": (0.05, 9),
    "EXP": (0.08, -128),
}


def island(draw, source, kind, shape, constants, options, *, name=None):
    """Add DEQUANTIZE and an operator in float."""
    wide = draw.flat.shape(source)
    inputs = [draw.apply("DEQUANTIZE", [source], wide)]
    inputs += [draw.constant(values, f"{kind}/constant") for values in constants]
    return draw.apply(kind, inputs, shape, name=name, **options)


def integers(count=3, shape=SHAPE, seed=0):
    random = np.random.default_rng(seed)
    return random.integers(-128, 128, (count, *shape)).astype(np.int8)


def assert_close(before, after, tensors, *, steps=1):
    """Hold the filled graph against the one with islands: whole steps apart."""
    for delegate in (True, False):
        expected, got = (
            run(content, tensors, delegate=delegate).astype(int)
            for content in (before, after)
        )
        np.testing.assert_allclose(got, expected, atol=steps, rtol=0)
        assert len(np.unique(got)) > 1


def kinds(content):
    flat = FlatModel(content)
    return [flat.kind(operator) for operator in flat.graph.operators]


def assert_int8(content):
    assert set(read_graph(content).activations) == {"int8"}


def filled(content, *, ranges=None, **options):
    return fill_islands(content, Drawing().flat, ranges or {}, **options)


@pytest.mark.parametrize("output", [STEPS, OTHER], ids=["same", "other"])
@pytest.mark.parametrize("kind", CASES)
def test_each_kernel_computes_in_int8(kind, output):
    shape, constants, options = CASES[kind]
    draw = Drawing()
    steps = OUTPUT_STEPS.get(kind, output)
    result = island(draw, draw.image(SHAPE, STEPS), kind, shape, constants, options)
    content = draw.content(draw.apply("QUANTIZE", [result], shape, steps=steps))
    after = filled(content)
    assert_int8(after)
    assert_close(content, after, integers())
    assert "DEQUANTIZE" not in kinds(after)
    assert FlatModel(after).quantization(int(FlatModel(after).graph.outputs[0])) == (
        np.float32(steps[0]),
        steps[1],
    )


def test_every_kernel_of_the_table_is_run_here():
    elsewhere = {"BATCH_TO_SPACE_ND", "LOG", "SPLIT_V"}
    masks = {"GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL"}
    assert set(CASES) | elsewhere | masks == KERNELS


def test_a_dilated_convolution_in_blocks():
    draw = Drawing()
    image = draw.image(SHAPE, STEPS)
    constants = [PAIRS, CROPS]
    blocks = island(draw, image, "SPACE_TO_BATCH_ND", (4, 4, 4, 4), constants, {})
    constants = [draw.constant(values) for values in constants]
    whole = draw.apply("BATCH_TO_SPACE_ND", [blocks, *constants], SHAPE)
    content = draw.content(draw.apply("QUANTIZE", [whole], SHAPE, steps=STEPS))
    after = filled(content, ranges={draw.flat.name(blocks): (-5.9, 6.85)})
    assert kinds(after) == ["SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"]
    assert_close(content, after, integers(), steps=0)


def test_logarithm_of_what_is_positive():
    draw = Drawing()
    result = island(draw, draw.image(SHAPE, (0.05, -128)), "LOG", SHAPE, [], {})
    content = draw.content(draw.apply("QUANTIZE", [result], SHAPE, steps=(0.03, 20)))
    after = filled(content)
    assert_int8(after)
    positive = np.maximum(integers(), -120)  # the kernel cannot tell 0 from nearly 0
    assert_close(content, after, positive)


def test_several_outputs():
    draw = Drawing()
    sizes = draw.constant(np.array([1, 3], np.int32))
    axis = draw.constant(np.array(3, np.int32))
    image = draw.image(SHAPE, STEPS)
    wide = draw.apply("DEQUANTIZE", [image], SHAPE)
    shapes = [(1, 8, 8, 1), (1, 8, 8, 3)]
    parts = [
        draw.flat.add_tensor(f"part{i}", s, "float32") for i, s in enumerate(shapes)
    ]
    table = {"table": "SplitVOptionsT", "numSplits": 2}
    draw.append("SPLIT_V", [wide, sizes, axis], parts, **table)
    ends = [
        draw.apply("QUANTIZE", [part], shape, steps=STEPS)
        for part, shape in zip(parts, shapes, strict=True)
    ]
    joined = draw.apply(
        "CONCATENATION",
        ends[::-1],
        SHAPE,
        steps=STEPS,
        table="ConcatenationOptionsT",
        axis=3,
    )
    content = draw.content(joined)
    after = filled(content)
    assert kinds(after) == ["SPLIT_V", "CONCATENATION"]
    assert_close(content, after, integers(), steps=0)


@pytest.mark.parametrize("kind", ["MINIMUM", "MAXIMUM"])
def test_two_activations_of_different_steps(kind):
    draw = Drawing()
    image = draw.image(SHAPE, STEPS)
    other = island(draw, image, "NEG", SHAPE, [], CASES["NEG"][2])
    other = draw.apply("QUANTIZE", [other], SHAPE, steps=(0.04, 3))
    wide = [draw.apply("DEQUANTIZE", [t], SHAPE) for t in (image, other)]
    result = draw.apply(kind, wide, SHAPE, table="MaximumMinimumOptionsT")
    content = draw.content(draw.apply("QUANTIZE", [result], SHAPE, steps=OTHER))
    after = filled(content)
    assert_int8(after)
    assert_close(content, after, integers(), steps=2)  # two roundings, one a side


@pytest.mark.parametrize("kind", ["GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL"])
def test_masks_do_not_flip(kind):
    draw = Drawing()
    image = draw.image(SHAPE, STEPS)
    wide = draw.apply("DEQUANTIZE", [image], SHAPE)
    bound = draw.constant(np.array(0, np.float32))
    mask = draw.apply(kind, [wide, bound], SHAPE, dtype="bool")
    zero = draw.constant(np.full(SHAPE, -10, np.int8), steps=STEPS)
    content = draw.content(
        draw.apply("SELECT", [mask, image, zero], SHAPE, steps=STEPS)
    )
    after = filled(content)
    assert kinds(after) == [kind, "SELECT"]
    assert_close(content, after, integers(), steps=0)


def test_a_mask_between_two_steps_stays_in_float():
    draw = Drawing()
    wide = draw.apply("DEQUANTIZE", [draw.image(SHAPE, STEPS)], SHAPE)
    bound = draw.constant(np.array(0.07, np.float32))
    content = draw.content(draw.apply("GREATER", [wide, bound], SHAPE, dtype="bool"))
    assert filled(content) == content


def test_a_chain_takes_the_ranges_between_from_calibration():
    draw = Drawing()
    image = draw.image(SHAPE, STEPS)
    shape, constants, options = CASES["LEAKY_RELU"]
    first = island(draw, image, "LEAKY_RELU", shape, constants, options, name="between")
    second = draw.apply("PRELU", [first, draw.constant(ALPHA)], SHAPE)
    content = draw.content(draw.apply("QUANTIZE", [second], SHAPE, steps=OTHER))
    assert filled(content) == content  # unknown range: left alone
    after = filled(content, ranges={"between": (-0.6, 6.85)})
    assert kinds(after) == ["LEAKY_RELU", "PRELU"]
    assert_close(content, after, integers(), steps=2)


def with_two_readers(first, second):
    """Draw a PRELU that two operators read; each is (kind, keywords of its output)."""
    draw = Drawing()
    result = island(draw, draw.image(SHAPE, STEPS), "PRELU", SHAPE, [ALPHA], {})
    ends = []
    for kind, options in (first, second):
        end = draw.apply(kind, [result], SHAPE, **options)
        if kind != "QUANTIZE":
            end = draw.apply("QUANTIZE", [end], SHAPE, steps=OTHER)
        ends.append(end)
    added = draw.apply("ADD", ends, SHAPE, steps=(0.1, 0), table="AddOptionsT")
    return draw.content(added)


@pytest.mark.parametrize("order", [1, -1])
def test_two_readers_get_the_wider_range(order):
    narrow, wide = ("QUANTIZE", {"steps": (0.03, 0)}), ("QUANTIZE", {"steps": OTHER})
    content = with_two_readers(*(narrow, wide)[::order])
    after = filled(content)
    assert kinds(after) == ["PRELU", "QUANTIZE", "ADD"]
    assert_close(content, after, integers())


def test_left_alone_where_float_is_read_too():
    content = with_two_readers(("QUANTIZE", {"steps": OTHER}), ("SIN", {}))
    assert filled(content) == content


def test_left_alone_where_the_model_gives_float():
    draw = Drawing()
    result = island(draw, draw.image(SHAPE, STEPS), "PRELU", SHAPE, [ALPHA], {})
    content = draw.content(result)
    assert filled(content) == content


def test_left_alone_where_a_clip_would_change():
    draw = Drawing()
    constants, options = [np.array(-40.0, np.float32)], CASES["MINIMUM"][2]
    result = island(
        draw, draw.image(SHAPE, STEPS), "MINIMUM", SHAPE, constants, options
    )
    content = draw.content(draw.apply("QUANTIZE", [result], SHAPE, steps=(0.4, 0)))
    assert filled(content) == content


def test_left_alone_where_float_was_asked_for():
    float_graph = Drawing()
    image = float_graph.image(SHAPE)
    alpha = float_graph.constant(ALPHA)
    float_graph.content(float_graph.apply("PRELU", [image, alpha], SHAPE, name="kept"))
    draw = Drawing()
    source = draw.image(SHAPE, STEPS)
    result = island(draw, source, "PRELU", SHAPE, [ALPHA], {}, name="kept")
    content = draw.content(draw.apply("QUANTIZE", [result], SHAPE, steps=OTHER))
    for keep, same in (((0,), True), ((), False)):
        after = fill_islands(content, float_graph.flat, {}, keep_float=keep)
        assert (after == content) == same


def test_an_alpha_that_two_operators_share_serves_both():
    draw = Drawing()
    alpha = draw.constant(ALPHA)
    source = draw.image(SHAPE, STEPS)
    for _ in range(2):
        wide = draw.apply("DEQUANTIZE", [source], SHAPE)
        result = draw.apply("PRELU", [wide, alpha], SHAPE)
        source = draw.apply("QUANTIZE", [result], SHAPE, steps=OTHER)
    content = draw.content(source)
    after = filled(content)
    assert kinds(after) == ["PRELU", "PRELU"]
    assert_close(content, after, integers(), steps=2)


@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(1e-3, 1e3))
def test_alpha_is_held_to_half_a_step(seed, scale):
    values = np.random.default_rng(seed).normal(0, scale, (1, 1, 7))
    steps = symmetric_steps(values)
    stored = to_int8(values, steps)
    assert abs(int(stored.min())) <= 127
    np.testing.assert_allclose(stored * steps[0], values, atol=steps[0] * 0.5001)


@given(low=st.floats(-1e4, 1e4), width=st.floats(0, 1e4))
def test_steps_cover_the_range_and_hold_zero(low, width):
    scale, zero_point = steps_of(low, low + width)
    assert -128 <= zero_point <= 127
    ends = [scale * (end - zero_point) for end in (-128, 127)]
    assert ends[0] <= low + 0.51 * scale
    assert ends[1] >= low + width - 0.51 * scale


def test_ranges_are_tied_through_what_makes_no_values():
    draw = Drawing()
    image = draw.image(SHAPE)
    repeats = draw.constant(np.array([1, 2, 1, 1], np.int32))
    tiled = draw.apply("TILE", [image, repeats], (1, 16, 8, 4), name="tiled")
    relu = draw.apply("RELU", [tiled], (1, 16, 8, 4), name="relu")
    draw.content(relu)
    ranges = {"image": (-1.0, 1.0), "tiled": (-0.9, 1.0), "relu": (0.0, 0.9)}
    tied = tie_ranges(draw.flat, ranges)
    assert tied == {**ranges, "tiled": (-1.0, 1.0)}
    assert ranges["tiled"] == (-0.9, 1.0)
