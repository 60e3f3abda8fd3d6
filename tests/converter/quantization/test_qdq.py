"""Where int8 steps stand in a float network, and which ones."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert.tools", reason="needs the extra `convert`")

from ai_edge_litert import schema_py_generated as schema
from graphs import Drawing, convolution, run

from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.converter.quantization.qdq import mark_steps
from edgeseg.converter.quantization.ranges import measure

SHAPE = (1, 8, 8, 4)
RELU6 = schema.ActivationFunctionType.RELU6


def noise(*shape, seed=0):
    values = np.random.default_rng(seed).normal(size=shape)
    return values.astype(np.float32)


def pointwise(draw, source, *, relu=False, seed=0):
    """Add a convolution of 4 channels to 4."""
    kernel, bias = noise(4, 1, 1, 4, seed=seed), noise(4, seed=seed + 1)
    made = convolution(draw, source, kernel, bias, SHAPE)
    if relu:
        draw.flat.graph.operators[-1].builtinOptions.fusedActivationFunction = RELU6
    return made


def add(draw, first, second):
    return draw.apply("ADD", [first, second], SHAPE, table="AddOptionsT")


def join(draw, *sources):
    shape = (*SHAPE[:3], 4 * len(sources))
    return draw.apply(
        "CONCATENATION", list(sources), shape, table="ConcatenationOptionsT", axis=3
    )


def marked(draw, output, *, symmetric=True):
    """Return a network with its steps, and the float one."""
    content = draw.content(output)
    ranges = measure(content, [noise(*SHAPE, seed=s) for s in range(4)])
    return mark_steps(content, ranges, symmetric=symmetric), content, ranges


def read_by(model, kind):
    """Return, by operator of a kind, whether each input comes out of int8 steps."""
    flat = FlatModel(model.content)
    makers = flat.producers()

    def is_pair(tensor):
        return tensor in makers and flat.kind(makers[tensor]) == "DEQUANTIZE"

    return [
        [is_pair(int(t)) for t in operator.inputs]
        for operator in flat.graph.operators
        if flat.kind(operator) == kind
    ]


def scales(model, kind):
    """Return the scales that operators of a kind read with, and of what they make."""
    flat = FlatModel(model.content)
    makers = flat.producers()
    found = []
    for operator in flat.graph.operators:
        if flat.kind(operator) == kind:
            pairs = [makers[int(t)] for t in operator.inputs if int(t) in makers]
            found.append([flat.quantization(int(pair.inputs[0]))[0] for pair in pairs])
            made = int(operator.outputs[0])
            found[-1] += [
                flat.quantization(int(reader.outputs[0]))[0]
                for reader in flat.consumers(made)
                if flat.kind(reader) == "QUANTIZE"
            ]
    return found


def test_layers_read_int8_and_scores_stay_float():
    draw = Drawing()
    output = pointwise(draw, pointwise(draw, draw.image(SHAPE), relu=True), seed=2)
    model, *_ = marked(draw, output)
    assert read_by(model, "CONV_2D") == [[True, False, False]] * 2
    flat = FlatModel(model.content)
    kinds = [flat.kind(operator) for operator in flat.graph.operators]
    pair = ["QUANTIZE", "DEQUANTIZE"]
    assert kinds == [*pair, "CONV_2D", *pair, "CONV_2D"]
    assert model.integer == {"CONV_2D": 2}
    assert not model.in_float


@pytest.mark.parametrize("symmetric", [True, False])
def test_steps_cost_a_step(symmetric):
    draw = Drawing()
    output = pointwise(draw, pointwise(draw, draw.image(SHAPE), relu=True), seed=2)
    model, content, _ = marked(draw, output, symmetric=symmetric)
    tensor = noise(*SHAPE, seed=1)
    exact, got = (run(c, [tensor])[0] for c in (content, model.content))
    assert 0 < np.abs(got - exact).max() < 0.05 * np.abs(exact).max()


def test_symmetric_steps_have_zero_point_zero():
    draw = Drawing()
    output = pointwise(draw, pointwise(draw, draw.image(SHAPE), relu=True), seed=2)
    for symmetric in (True, False):
        model, _, ranges = marked(draw, output, symmetric=symmetric)
        flat = FlatModel(model.content)
        quantized = [
            int(operator.outputs[0])
            for operator in flat.graph.operators
            if flat.kind(operator) == "QUANTIZE"
        ]
        points = [flat.quantization(tensor)[1] for tensor in quantized]
        kinds = {flat.dtype(tensor) for tensor in quantized}
        if symmetric:
            assert (points, kinds) == ([0, 0], {"int8"})
        else:
            assert points[1] == 0, "what ReLU made begins at 0"
            assert 100 < points[0] < 156
            assert kinds == {"uint8"}
        low, high = ranges.central["image"]
        scale, _ = flat.quantization(quantized[0])
        reach = max(-low, high) / 127 if symmetric else (high - low) / 255
        assert scale == pytest.approx(reach, rel=1e-5)


def test_a_convolution_goes_into_its_addition_without_steps():
    draw = Drawing()
    first = pointwise(draw, draw.image(SHAPE))
    second = pointwise(draw, first, seed=2)
    output = pointwise(draw, add(draw, first, second), seed=4)
    model, *_ = marked(draw, output)
    assert read_by(model, "ADD") == [[True, False]], "TensorRT fuses the second"
    model, *_ = marked(draw, output, symmetric=False)
    assert read_by(model, "ADD") == [[True, True]]


@pytest.mark.parametrize("relu", [False, True])
def test_two_branches_that_meet_have_one_pair(relu):
    draw = Drawing()
    image = draw.image(SHAPE)
    branches = [pointwise(draw, image, relu=relu, seed=seed) for seed in (0, 2)]
    model, *_ = marked(draw, pointwise(draw, add(draw, *branches), seed=4))
    expected = [True, True] if relu else [True, False]
    assert read_by(model, "ADD") == [expected]


def test_an_addition_that_gives_the_scores_stays_float():
    draw = Drawing()
    first = pointwise(draw, draw.image(SHAPE))
    model, *_ = marked(draw, add(draw, first, pointwise(draw, first, seed=2)))
    assert read_by(model, "ADD") == [[False, False]]
    assert model.in_float == {"ADD": 1}


def test_joined_maps_have_one_scale():
    draw = Drawing()
    image = draw.image(SHAPE)
    small = pointwise(draw, image)
    large = pointwise(draw, small, seed=2)
    joined = join(draw, small, large)  # the first is read by a convolution too
    kernel = noise(4, 1, 1, 8, seed=4)
    output = convolution(draw, joined, kernel, noise(4), SHAPE)
    model, *_ = marked(draw, output)
    (found,) = scales(model, "CONCATENATION")
    assert len(found) == 3
    assert len(set(found)) == 1
    own = scales(model, "CONV_2D")[1][0]
    assert own < found[0], "a layer reads its input in steps of its own"


def test_pooled_and_resized_maps_keep_their_scale():
    draw = Drawing()
    made = pointwise(draw, draw.image(SHAPE), relu=True)
    pooled = draw.apply(
        "MAX_POOL_2D",
        [made],
        (1, 4, 4, 4),
        table="Pool2DOptionsT",
        padding=schema.Padding.VALID,
        strideH=2,
        strideW=2,
        filterHeight=2,
        filterWidth=2,
    )
    size = draw.constant(np.array(SHAPE[1:3], np.int32))
    large = draw.apply(
        "RESIZE_BILINEAR", [pooled, size], SHAPE, table="ResizeBilinearOptionsT"
    )
    model, *_ = marked(draw, pointwise(draw, large, seed=2))
    for kind in ("MAX_POOL_2D", "RESIZE_BILINEAR"):
        (found,) = scales(model, kind)
        assert len(found) == 2
        assert found[0] == found[1]


def test_weights_are_those_of_the_calibration():
    draw = Drawing()
    output = pointwise(draw, draw.image(SHAPE))
    model, _, ranges = marked(draw, output)
    (weights,) = model.weights
    rounded = ranges.rounded[0]
    assert (weights.values.shape, weights.axis) == ((4, 4, 1, 1), 0)
    np.testing.assert_array_equal(weights.scales, rounded.scales)
    steps = weights.values.reshape(4, 4) / weights.scales[:, None]
    np.testing.assert_allclose(steps, rounded.steps, atol=1e-4)


def test_weights_without_moments_are_rounded_to_the_nearest():
    draw = Drawing()
    output = pointwise(draw, draw.image(SHAPE))
    content = draw.content(output)
    ranges = measure(content, [noise(*SHAPE)])
    bare = dataclasses.replace(ranges, rounded={})
    (weights,) = mark_steps(content, bare).weights
    steps = weights.values.reshape(4, 4) / weights.scales[:, None]
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-4)
    exact = noise(4, 1, 1, 4).reshape(4, 4)
    inside = np.abs(exact) < 127 * weights.scales[:, None]
    error = np.abs(weights.values.reshape(4, 4) - exact)
    assert (error <= 0.501 * weights.scales[:, None])[inside].all()
