"""Better rounded weights put into a quantized graph."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert.tools", reason="needs the extra `convert`")

from graphs import Drawing, convolution, quantized, real, run

from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.converter.quantization.moments import (
    LONGEST,
    InputMoments,
    Observed,
    is_refinable,
)
from edgeseg.converter.quantization.refine import (
    apply_rounding,
    round_weights,
    weight_rows,
)

SIZE = (1, 10, 10, 4)
INPUT, OUTPUT = (0.03, -20), (0.4, 5)


def weights_of(kind, *, outputs=6, kernel=3):
    random = np.random.default_rng(4)
    shape = (
        (1, kernel, kernel, 4) if kind == "depthwise" else (outputs, kernel, kernel, 4)
    )
    bias = random.normal(size=shape[-1] if kind == "depthwise" else outputs)
    return random.normal(size=shape), bias


def float_graph(kernel, bias, kind="full"):
    draw = Drawing()
    scores = convolution(
        draw,
        draw.image(SIZE),
        kernel,
        bias,
        (*SIZE[:3], len(bias)),
        depthwise=kind == "depthwise",
    )
    return draw.content(scores)


def quantize(content, *, output=OUTPUT):
    """Quantize a graph of one convolution: the nearest step of each weight."""
    flat = FlatModel(content)
    operator = flat.graph.operators[0]
    data, kernel, bias = (int(t) for t in operator.inputs)
    axis = 0 if flat.kind(operator) == "CONV_2D" else 3
    rows = weight_rows(flat, operator)
    scales = np.maximum(np.abs(rows).max(axis=1) / 127, 1e-6).astype(np.float32)
    steps = np.rint(rows / scales[:, None])
    stored = steps if axis == 0 else steps.T
    whole = np.rint(flat.constant(bias) / (scales * INPUT[0])).clip(-(2**30), 2**30)
    shape = flat.shape(kernel)
    for index, dtype in ((data, "int8"), (kernel, "int8"), (bias, "int32")):
        flat.set_dtype(index, dtype)
    flat.set_constant(kernel, stored.reshape(shape).astype(np.int8))
    flat.set_constant(bias, whole.astype(np.int32))
    flat.set_quantization(data, *INPUT)
    flat.set_quantization(kernel, scales, np.zeros(len(scales)), axis)
    flat.set_quantization(bias, scales * INPUT[0], np.zeros(len(scales)))
    scores = int(operator.outputs[0])
    flat.set_dtype(scores, "int8")
    flat.set_quantization(scores, *output)
    return flat.to_bytes()


def pictures(count=24, seed=0):
    """Return smooth positive pictures: neighbours are alike, the mean is not 0."""
    random = np.random.default_rng(seed)
    rough = random.uniform(0, 3.5, (count, 1, 12, 12, 4))
    smooth = sum(
        rough[:, :, i : i + 10, j : j + 10] for i in range(3) for j in range(3)
    )
    return (smooth / 9).astype(np.float32)


def rounded(content, tensors):
    observed = Observed(content)
    moments = InputMoments(observed.flat)
    for tensor in tensors:
        observed.run(tensor)
        moments.add(observed)
    flat = observed.flat
    return {
        place: round_weights(flat, flat.graph.operators[place], seen)
        for place, seen in moments.moments.items()
    }


@pytest.mark.parametrize("kind", ["full", "depthwise"])
def test_the_output_comes_nearer_to_float(kind):
    content = float_graph(*weights_of(kind), kind)
    nearest = quantize(content, output=(0.15, 5))
    better = apply_rounding(nearest, FlatModel(content), rounded(content, pictures()))
    unseen = pictures(seed=1)
    expected = run(content, unseen)
    errors = [
        np.square(real(c, run(c, quantized(c, unseen))) - expected).mean()
        for c in (nearest, better)
    ]
    assert errors[1] < errors[0]


@pytest.mark.parametrize("kind", ["full", "depthwise"])
def test_bias_correction_keeps_the_mean_output(kind):
    kernel, bias = weights_of(kind)
    content = float_graph(kernel, bias, kind)
    flat = FlatModel(content)
    ((place, weights),) = rounded(content, pictures()).items()
    rows = weight_rows(flat, flat.graph.operators[place])
    stored = weights.steps * weights.scales[:, None]
    back = stored.T if kind == "depthwise" else stored
    kernel = back.reshape(kernel.shape)
    corrected, plain = (
        float_graph(kernel, bias + more, kind) for more in (weights.correction, 0)
    )
    exact, kept, moved = (
        run(c, pictures()).mean((0, 1, 2, 3)) for c in (content, corrected, plain)
    )
    np.testing.assert_allclose(kept, exact, atol=1e-4)
    assert np.abs(moved - exact).max() > 1e-3
    assert rows.shape == weights.steps.shape


def test_channels_of_zeros_stay_zero():
    kernel, bias = weights_of("full")
    kernel[2] = 0
    bias[2] = 1.2
    content = float_graph(kernel, bias)
    weights = rounded(content, pictures())[0]
    assert (weights.steps[2] == 0).all()
    assert np.isfinite(weights.scales).all()
    assert (weights.scales > 0).all()
    better = apply_rounding(quantize(content), FlatModel(content), {0: weights})
    scores = real(better, run(better, quantized(better, pictures())))[..., 2]
    np.testing.assert_allclose(scores, 1.2, atol=OUTPUT[0] / 2 + 1e-6)


@pytest.mark.parametrize("bias", [3e6, -3e6])
def test_a_bias_too_large_for_int32_widens_the_steps(bias):
    kernel, biases = weights_of("full")
    kernel[1] *= 1e-4  # tiny weights: tiny steps of the bias
    biases[1] = bias
    content = float_graph(kernel, biases)
    weights = rounded(content, pictures())
    wide = quantize(content, output=(abs(bias) / 100, 0))
    better = FlatModel(apply_rounding(wide, FlatModel(content), weights))
    operator = better.graph.operators[0]
    stored = better.constant(int(operator.inputs[2])).astype(np.int64)
    scales = better.tensor(int(operator.inputs[2])).quantization.scale
    assert np.abs(stored).max() <= 2**30 * 1.001
    np.testing.assert_allclose(
        stored * scales, biases + weights[0].correction, rtol=1e-3, atol=1e-3
    )
    scores = real(
        better.to_bytes(), run(better.to_bytes(), quantized(wide, pictures()))
    )
    np.testing.assert_allclose(scores[..., 1], bias, rtol=0.01)


def test_operators_with_float_weights_are_left_alone():
    content = float_graph(*weights_of("full"))
    weights = rounded(content, pictures())
    same = apply_rounding(content, FlatModel(content), weights)
    np.testing.assert_array_equal(run(same, pictures()), run(content, pictures()))


def two_convolutions(*, share):
    """Draw two convolutions of the same size that share their kernel or bias."""
    random = np.random.default_rng(0)
    draw = Drawing()
    end = draw.image(SIZE)
    same = None
    for _ in range(2):
        kernel, bias = random.normal(size=(4, 1, 1, 4)), np.zeros(4)
        end = convolution(draw, end, kernel, bias, SIZE)
        operator = draw.flat.graph.operators[-1]
        if same is not None:
            operator.inputs[share] = same
        same = operator.inputs[share]
    return draw.content(end)


def test_a_shared_bias_is_no_hindrance_but_shared_weights_are():
    kernel, bias = (FlatModel(two_convolutions(share=place)) for place in (1, 2))
    assert [is_refinable(bias, o) for o in bias.graph.operators] == [True, True]
    assert [is_refinable(kernel, o) for o in kernel.graph.operators] == [False, False]


def test_a_shared_bias_is_corrected_for_each_reader():
    content = two_convolutions(share=2)
    flat = FlatModel(content)
    weights = rounded(content, pictures())
    assert len(weights) == 2
    half = FlatModel(content)  # int8 weights, activations float
    for operator, one in zip(half.graph.operators, weights.values(), strict=True):
        kernel = int(operator.inputs[1])
        half.set_dtype(kernel, "int8")
        half.set_constant(kernel, one.steps.reshape(half.shape(kernel)))
    better = FlatModel(apply_rounding(half.to_bytes(), flat, weights))
    biases = [better.constant(int(o.inputs[2])) for o in better.graph.operators]
    for stored, one in zip(biases, weights.values(), strict=True):
        np.testing.assert_array_equal(stored, one.correction)


def test_windows_too_long_for_second_moments_are_rounded_to_the_nearest():
    side = 1 + int(np.sqrt(LONGEST / 4))
    kernel = np.random.default_rng(0).normal(size=(1, side, side, 4))
    content = float_graph(kernel, np.zeros(1))
    ((_, weights),) = rounded(content, pictures(2)).items()
    rows = weight_rows(FlatModel(content), FlatModel(content).graph.operators[0])
    near = np.rint(rows / weights.scales[:, None]).clip(-127, 127)
    np.testing.assert_array_equal(weights.steps, near)
    assert np.abs(weights.correction).max() > 0
