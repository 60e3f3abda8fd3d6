"""Each published constraint of the Edge TPU, on a graph drawn to break it."""

from __future__ import annotations

import re

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert.tools", reason="draws graphs")

from graphs import Drawing

from edgeseg.devices.placement.edgetpu import predict
from edgeseg.devices.placement.reading import read_model_graph

STEPS = (0.1, 3)
INT8 = {"steps": STEPS}


@pytest.fixture
def read(tmp_path):
    def read(content):
        path = tmp_path / "model.tflite"
        path.write_bytes(content)
        return read_model_graph(path)

    return read


def conv(draw, source, shape, *, kernel=(1, 1), constant=True, **options):
    channels = draw.flat.shape(source)[-1]
    weights = np.ones((shape[-1], *kernel, channels), np.int8)
    made = (
        draw.constant(weights, steps=(0.01, 0))
        if constant
        else draw.image(weights.shape, (0.01, 0))
    )
    table = {"table": "Conv2DOptionsT", "strideH": 1, "strideW": 1, **options}
    table.setdefault("dilationHFactor", 1)
    table.setdefault("dilationWFactor", 1)
    return draw.apply("CONV_2D", [source, made], shape, **INT8, **table)


def single(kind, before, after, *constants, steps=STEPS, **options):
    """Draw one operator on an image of 8 bits, or of floats without steps."""
    draw = Drawing()
    source = draw.image(before, steps)
    rest = [draw.constant(values) for values in constants]
    return draw.content(
        draw.apply(kind, [source, *rest], after, steps=steps, **options)
    )


def resize(before, after, channels=4, **flags):
    return single(
        "RESIZE_BILINEAR",
        (1, *before, channels),
        (1, *after, channels),
        np.array(after, np.int32),
        table="ResizeBilinearOptionsT",
        **flags,
    )


POOL = {"table": "Pool2DOptionsT", "strideH": 2, "strideW": 2}
POOL |= {"filterHeight": 2, "filterWidth": 2}
CASES = {
    "float": (
        lambda: single("RELU", (1, 4, 4, 2), (1, 4, 4, 2), steps=None),
        "float32",
    ),
    "argmax": (
        lambda: single("ARG_MAX", (1, 4, 4, 2), (1, 4, 4), np.int32(3), dtype="int32"),
        "no such operation",
    ),
    "leaky": (lambda: single("LEAKY_RELU", (1, 4, 4, 2), (1, 4, 4, 2)), "no such"),
    "batch": (lambda: single("RELU", (2, 4, 4, 2), (2, 4, 4, 2)), "three innermost"),
    "fused": (
        lambda: single(
            "MAX_POOL_2D", (1, 4, 4, 2), (1, 2, 2, 2), fusedActivationFunction=1, **POOL
        ),
        "fused activation .RELU.",
    ),
    "softmax": (lambda: single("SOFTMAX", (1, 4, 4, 2), (1, 4, 4, 2)), "one vector"),
    "long softmax": (lambda: single("SOFTMAX", (1, 16001), (1, 16001)), "16,000"),
    "mean of channels": (
        lambda: single("MEAN", (1, 4, 4, 6), (1, 4, 4), np.array([3], np.int32)),
        "6 channels",
    ),
    "mean of a large map": (
        lambda: single("MEAN", (1, 256, 128, 3), (1, 3), np.array([1, 2], np.int32)),
        "32,768 cells",
    ),
    "squeeze": (lambda: single("SQUEEZE", (1, 5, 1, 8), (1, 5, 8)), "behind one"),
    "prelu": (
        lambda: single(
            "PRELU", (1, 4, 4, 2), (1, 4, 4, 2), np.zeros((4, 4, 2), np.int8)
        ),
        "slopes",
    ),
    "pad": (
        lambda: single(
            "PAD",
            (1, 4, 4, 2),
            (2, 4, 4, 2),
            np.array([[0, 1]] + [[0, 0]] * 3, "int32"),
        ),
        "three innermost",
    ),
    "stride": (
        lambda: single(
            "STRIDED_SLICE",
            (1, 4, 4, 2),
            (1, 2, 4, 2),
            np.array([0] * 4, np.int32),
            np.array([1, 4, 4, 2], np.int32),
            np.array([1, 2, 1, 1], np.int32),
            table="StridedSliceOptionsT",
        ),
        "strides",
    ),
    "resize of one cell": (lambda: resize((1, 1), (33, 33), alignCorners=True), "one"),
    "sixteenfold resize": (
        lambda: resize((33, 33), (513, 513), alignCorners=True),
        "1/256",
    ),
    "large resize": (lambda: resize((256, 256), (512, 512), 32), "8.4 MB"),
}
MAPPED = {
    "same size": lambda: resize((33, 33), (33, 33), alignCorners=True),
    "fourfold": lambda: resize((33, 33), (129, 129), 48, alignCorners=True),
    "twofold": lambda: resize((64, 64), (128, 128), 32, halfPixelCenters=True),
    "tile": lambda: single(
        "TILE", (1, 1, 1, 4), (1, 9, 9, 4), np.array([1, 9, 9, 1], np.int32)
    ),
    "mean of a map": lambda: single(
        "MEAN", (1, 33, 33, 5), (1, 5), np.array([1, 2], np.int32)
    ),
    "softmax": lambda: single("SOFTMAX", (1, 1001), (1, 1001)),
    "squeeze": lambda: single("SQUEEZE", (1, 1, 1, 8), (1, 8)),
    "pool": lambda: single("MAX_POOL_2D", (1, 4, 4, 2), (1, 2, 2, 2), **POOL),
}


@pytest.mark.parametrize("case", CASES)
def test_a_broken_constraint_keeps_an_operator_on_the_cpu(case, read):
    build, reason = CASES[case]
    (verdict,) = predict(read(build()))
    assert (verdict.placement, verdict.blocking) == ("cpu", True)
    assert re.search(reason, verdict.reason)


@pytest.mark.parametrize("case", MAPPED)
def test_what_keeps_the_constraints_is_mapped(case, read):
    (verdict,) = predict(read(MAPPED[case]()))
    assert verdict.placement == "edgetpu"


def test_computed_weights_and_uneven_dilation_stay_on_the_cpu(read):
    draw = Drawing()
    image = draw.image((1, 9, 9, 3), STEPS)
    uneven = {"dilationHFactor": 2}
    first = conv(draw, image, (1, 9, 9, 4), kernel=(2, 2), **uneven)
    (verdict,) = predict(read(draw.content(first)))
    assert "2x1" in verdict.reason


def test_what_follows_a_refused_operator_stays_and_a_branch_beside_it_does_not(read):
    """Draw relu -> leaky -> relu, and beside leaky a relu later in the file."""
    draw = Drawing()
    shape = (1, 4, 4, 2)
    first = draw.apply("RELU", [draw.image(shape, STEPS)], shape, **INT8)
    refused = draw.apply("LEAKY_RELU", [first], shape, **INT8)
    after = draw.apply("RELU", [refused], shape, **INT8)
    beside = draw.apply("RELU6", [first], shape, **INT8)
    joined = draw.apply("ADD", [after, beside], shape, **INT8)
    verdicts = predict(read(draw.content(joined)))
    placed = [v.placement for v in verdicts]
    assert placed == ["edgetpu", "cpu", "cpu", "edgetpu", "cpu"]
    assert "after operator 1 LEAKY_RELU" in verdicts[2].reason
    assert [v.blocking for v in verdicts] == [False, True, False, False, False]


def test_floats_at_the_ends_leave_the_middle_on_the_edge_tpu(read):
    draw = Drawing()
    shape = (1, 4, 4, 2)
    made = draw.apply("QUANTIZE", [draw.image(shape)], shape, **INT8)
    made = draw.apply("RELU", [made], shape, **INT8)
    made = draw.apply("DEQUANTIZE", [made], shape)
    verdicts = predict(read(draw.content(made)))
    assert [v.placement for v in verdicts] == ["cpu", "edgetpu", "cpu"]
