"""The pooled picture brought back to the grid without a resize: the same answers."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert.tools", reason="needs the extra `convert`")

from graphs import Drawing, convolution, run
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.converter.quantization.pooling import POOLING, rewrite_pooling
from edgeseg.devices import ConversionError
from edgeseg.devices.placement import check_model

SIDE = 6
BILINEAR = {"table": "ResizeBilinearOptionsT", "alignCorners": True}
RELU = 1


def pooled_network(place=0, others=1, *, kind="RESIZE_BILINEAR", kernel=1, relu=True):
    """Draw a pooling branch joined with others, at a place among them."""
    random = np.random.default_rng(place + 10 * others)
    draw = Drawing()
    image = draw.image((1, SIDE, SIDE, 3))
    branches = [
        convolution(
            draw,
            image,
            random.normal(size=(4 + n, 1, 1, 3)),
            random.normal(size=4 + n),
            (1, SIDE, SIDE, 4 + n),
        )
        for n in range(others)
    ]
    axes = draw.constant(np.array([1, 2], np.int32))
    table = {"table": "ReducerOptionsT", "keepDims": True}
    cell = draw.apply("MEAN", [image, axes], (1, 1, 1, 3), **table)
    size = draw.constant(np.array([SIDE, SIDE], np.int32))
    options = BILINEAR if kind == "RESIZE_BILINEAR" else {}
    repeated = draw.apply(kind, [cell, size], (1, SIDE, SIDE, 3), **options)
    branches.insert(place, repeated)
    width = sum(draw.flat.shape(b)[-1] for b in branches)
    table = {"table": "ConcatenationOptionsT", "axis": 3}
    joined = draw.apply("CONCATENATION", branches, (1, SIDE, SIDE, width), **table)
    end = convolution(
        draw,
        joined,
        random.normal(size=(5, kernel, kernel, width)),
        random.normal(size=5),
        (1, SIDE, SIDE, 5),
    )
    if relu:
        last = draw.flat.graph.operators[-1]
        last.builtinOptions.fusedActivationFunction = RELU
    return draw.content(end)


def pictures(count=3):
    random = np.random.default_rng(1)
    return random.normal(size=(count, 1, SIDE, SIDE, 3)).astype(np.float32)


def kinds(content):
    flat = FlatModel(content)
    return [flat.kind(op) for op in flat.graph.operators]


@settings(max_examples=25)
@given(
    st.integers(1, 3).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.sampled_from(["tile", "split"]),
    st.sampled_from(["RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"]),
    st.booleans(),
)
def test_answers_stay_the_same(where, how, kind, relu):
    content = pooled_network(*where, kind=kind, relu=relu)
    rewritten = rewrite_pooling(content, how)
    assert not {"RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"} & set(kinds(rewritten))
    tensors = pictures()
    np.testing.assert_allclose(
        run(rewritten, tensors), run(content, tensors), rtol=0, atol=1e-5
    )


def test_a_split_does_without_the_concatenation_and_stores_no_more():
    content = pooled_network()
    rewritten = rewrite_pooling(content, "split")
    assert kinds(rewritten) == ["CONV_2D", "MEAN", "CONV_2D", "CONV_2D", "ADD"]
    stored = FlatModel(rewritten)
    floats = [
        t
        for t in range(len(stored.graph.tensors))
        if stored.constant(t) is not None and stored.dtype(t) == "float32"
    ]
    # no constant is left behind that no operator reads
    assert all(stored.consumers(t) for t in floats)


def test_resize_leaves_every_byte():
    content = pooled_network()
    assert POOLING[0] == "resize"
    assert rewrite_pooling(content, "resize") == content


def test_what_cannot_be_rewritten_is_refused():
    with pytest.raises(ConversionError, match="take --pooling tile"):
        rewrite_pooling(pooled_network(kernel=3), "split")
    draw = Drawing()
    plain = draw.content(draw.apply("RELU", [draw.image((1, 4, 4, 3))], (1, 4, 4, 3)))
    for how in ("tile", "split"):
        with pytest.raises(ConversionError, match="this model has none"):
            rewrite_pooling(plain, how)


@pytest.fixture(scope="module")
def deeplab():
    """DeepLabv3, small and untrained, as float TFLite."""
    pytest.importorskip("tensorflow", reason="needs the extra `convert`")
    import keras
    import networks

    from edgeseg.converter.backbones.mobilenet_v2 import MobileNetV2
    from edgeseg.converter.conversion.float_model import lower
    from edgeseg.converter.networks.deeplab import SegmentationHead, build_deeplab

    head = SegmentationHead(classes=5, decoder=False, pyramid=False, width=16)
    backbone = MobileNetV2(stem=8, projections=(8, 8, 8, 8, 8, 8, 16))
    network = build_deeplab(backbone, head, size=(65, 65), output_stride=16)
    assert keras.backend.backend() == "tensorflow"
    return lower(networks.settle(network))


@pytest.mark.long
@pytest.mark.parametrize("how", ["tile", "split"])
def test_a_deeplab_answers_alike_and_its_tail_is_mapped(how, deeplab, tmp_path):
    from edgeseg.converter.quantization.heads import apply_head
    from edgeseg.converter.quantization.quantize import Quantization
    from edgeseg.converter.quantization.ranges import measure
    from edgeseg.converter.recipes import load_recipe

    random = np.random.default_rng(2)
    tensors = random.uniform(-1, 1, (4, 1, 65, 65, 3)).astype(np.float32)
    rewritten = rewrite_pooling(deeplab, how)
    before, after = run(deeplab, tensors), run(rewritten, tensors)
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(after.argmax(-1), before.argmax(-1))

    placed = {}
    for name, content in (("as it is", deeplab), ("rewritten", rewritten)):
        content = apply_head(content, "logits-stride").content
        ranges = measure(content, tensors)
        made = Quantization(content, load_recipe("int8"), ranges).make()
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(made)
        placed[name] = check_model(path, "coral")
    assert placed["as it is"].advice[0].options == "--pooling split"
    assert placed["as it is"].cpu_macs_share > 0
    assert placed["rewritten"].on_cpu == ()
