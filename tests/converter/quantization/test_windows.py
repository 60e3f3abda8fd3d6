"""Windows against the interpreter's own convolutions."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert.tools", reason="needs the extra `convert`")

from graphs import Drawing, convolution, run
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.converter.quantization.rounding import windows_of


def grid_of(size, kernel, stride, dilation, same):
    reach = 1 if same else (kernel - 1) * dilation + 1
    return -(-(size - reach + 1) // stride)


@st.composite
def geometries(draw):
    stride = draw(st.integers(1, 3))
    return {
        "size": (draw(st.integers(7, 12)), draw(st.integers(7, 12))),
        "kernel": (draw(st.integers(1, 4)), draw(st.integers(1, 4))),
        "stride": stride,
        # TensorFlow refuses a stride and a dilation together
        "dilation": draw(st.integers(1, 2)) if stride == 1 else 1,
        "same": draw(st.booleans()),
        "depthwise": draw(st.booleans()),
    }


def drawn(size, kernel, stride, dilation, same, depthwise):
    random = np.random.default_rng(0)
    weights = random.normal(size=(1 if depthwise else 5, *kernel, 3))
    bias = random.normal(size=3 if depthwise else 5)
    grid = [
        grid_of(n, k, stride, dilation, same) for n, k in zip(size, kernel, strict=True)
    ]
    draw = Drawing()
    scores = convolution(
        draw,
        draw.image((1, *size, 3)),
        weights,
        bias,
        (1, *grid, len(bias)),
        same=same,
        stride=stride,
        dilation=dilation,
        depthwise=depthwise,
    )
    return draw.content(scores), weights, bias


@given(geometry=geometries())
def test_windows_times_weights_is_the_convolution(geometry):
    content, weights, bias = drawn(**geometry)
    flat = FlatModel(content)
    image = np.random.default_rng(1).normal(size=(1, *geometry["size"], 3))
    image = image.astype(np.float32)
    expected = run(content, [image])[0, 0].reshape(-1, len(bias))
    windows = windows_of(flat, flat.graph.operators[0])
    assert windows.grid[0] * windows.grid[1] == len(expected)
    seen = windows.sample(image, np.arange(len(expected)), 0.0)
    if geometry["depthwise"]:
        made = np.einsum("pkc,kc->pc", seen, weights.reshape(-1, 3))
    else:
        made = seen.reshape(len(seen), -1) @ weights.reshape(5, -1).T
    np.testing.assert_allclose(made + bias, expected, atol=1e-4)


def test_positions_are_counted_row_by_row():
    content, _, _ = drawn((8, 9), (1, 1), 2, 1, True, False)
    flat = FlatModel(content)
    windows = windows_of(flat, flat.graph.operators[0])
    assert windows.grid == (4, 5)
    image = np.arange(8 * 9 * 3, dtype=np.float32).reshape(1, 8, 9, 3)
    seen = windows.sample(image, np.array([0, 4, 7]), 0.0)
    np.testing.assert_array_equal(seen[:, 0], image[0, [0, 0, 2], [0, 8, 4]])


def test_padding_is_where_the_input_ends():
    content, _, _ = drawn((7, 7), (3, 3), 1, 1, True, False)
    flat = FlatModel(content)
    windows = windows_of(flat, flat.graph.operators[0])
    seen = windows.sample(np.ones((1, 7, 7, 3), np.float32), np.array([0, 24]), -5.0)
    corner, middle = seen[..., 0].reshape(2, 3, 3)
    np.testing.assert_array_equal(corner, [[-5, -5, -5], [-5, 1, 1], [-5, 1, 1]])
    np.testing.assert_array_equal(middle, np.ones((3, 3)))
