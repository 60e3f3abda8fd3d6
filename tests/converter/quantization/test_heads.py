"""The end of a network taken off or put on, nothing else changed."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert.tools", reason="needs the extra `convert`")

from graphs import Drawing, convolution, run

from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.converter.quantization.heads import (
    HEADS,
    apply_head,
    join_argmax,
    set_interface,
)
from edgeseg.devices import ConversionError
from edgeseg.devices.placement.reading import read_model_graph
from edgeseg.devices.placement.tail import host_tail

CLASSES = 5
ALIGNMENTS = {
    "align-corners": {"alignCorners": True},
    "half-pixel": {"halfPixelCenters": True},
    "legacy": {},
}


def network(*tail, classes=CLASSES):
    """Draw a convolution to (1, 6, 6, classes) and some operators behind it.

    A tail is ``"SOFTMAX"``, ``"LOGISTIC"``, or the side and alignment of a resize.
    """
    random = np.random.default_rng(0)
    draw = Drawing()
    kernel, bias = random.normal(size=(classes, 3, 3, 3)), random.normal(size=classes)
    end = convolution(
        draw, draw.image((1, 12, 12, 3)), kernel, bias, (1, 6, 6, classes), stride=2
    )
    for one in tail:
        shape = draw.flat.shape(end)
        if one == "SOFTMAX":
            table = {"table": "SoftmaxOptionsT", "beta": 1.0}
            end = draw.apply("SOFTMAX", [end], shape, **table)
        elif one == "LOGISTIC":
            end = draw.apply("LOGISTIC", [end], shape)
        elif one == "FLAT":
            shape = (1, shape_of(draw, end)[1] * shape_of(draw, end)[2], classes)
            size = draw.constant(np.array(shape, np.int32))
            end = draw.apply("RESHAPE", [end, size], shape)
        elif one == "MAP":
            side = round(shape_of(draw, end)[1] ** 0.5)
            shape = (1, side, side, classes)
            size = draw.constant(np.array(shape, np.int32))
            end = draw.apply("RESHAPE", [end, size], shape)
        elif one == "CONV":
            kernel = random.normal(size=(classes, 1, 1, classes))
            bias = random.normal(size=classes)
            end = convolution(draw, end, kernel, bias, shape_of(draw, end))
        else:
            side, alignment = one
            size = draw.constant(np.array([side, side], np.int32))
            table = {"table": "ResizeBilinearOptionsT", **ALIGNMENTS[alignment]}
            shape = (1, side, side, classes)
            end = draw.apply("RESIZE_BILINEAR", [end, size], shape, **table)
    return draw.content(end)


def shape_of(draw, tensor):
    return draw.flat.shape(tensor)


def pictures(count=4):
    return np.random.default_rng(1).normal(size=(count, 1, 12, 12, 3)).astype("float32")


def kinds(content):
    flat = FlatModel(content)
    return [flat.kind(operator) for operator in flat.graph.operators]


def as_int8(content, low=-14.0, high=14.0):
    """Return a float model with an int8 output, as a quantized one has it."""
    flat = FlatModel(content)
    draw = Drawing()
    draw.flat = flat
    scores = int(flat.graph.outputs[0])
    steps = ((high - low) / 255, 0)
    return draw.content(
        draw.apply("QUANTIZE", [scores], flat.shape(scores), steps=steps)
    )


def test_logits_leave_every_byte():
    content = network((24, "legacy"), "SOFTMAX")
    assert apply_head(content, "logits").content == content
    assert set(HEADS) == {"auto", "logits", "logits-stride", "labels"}


@pytest.mark.parametrize("alignment", ALIGNMENTS)
@pytest.mark.parametrize("softmax", [(), ("SOFTMAX",)])
def test_stride_scores_are_what_the_last_resize_reads(alignment, softmax):
    content = network((24, alignment), *softmax)
    tail = apply_head(content, "logits-stride")
    assert tail.resize == alignment
    assert kinds(tail.content) == ["CONV_2D"]
    np.testing.assert_array_equal(
        run(tail.content, pictures()), run(network(), pictures())
    )


def test_only_the_last_resize_is_left_to_the_host():
    content = network((12, "half-pixel"), (24, "align-corners"))
    tail = apply_head(content, "logits-stride")
    assert tail.resize == "align-corners"
    np.testing.assert_array_equal(
        run(tail.content, pictures()), run(network((12, "half-pixel")), pictures())
    )


@pytest.mark.parametrize(
    ("tail", "chosen"),
    [
        (((24, "half-pixel"), "SOFTMAX"), "logits-stride"),
        (((24, "align-corners"),), "logits-stride"),
        (("SOFTMAX",), "logits"),  # its own grid already: nothing is saved
        ((), "logits"),
        (((3, "legacy"),), "logits"),
    ],
)
def test_auto_is_the_grid_where_there_is_one(tail, chosen):
    content = network(*tail)
    headed = apply_head(content, "auto")
    assert headed.chosen == chosen
    assert headed.content == apply_head(content, chosen).content
    assert headed.resize == apply_head(content, chosen).resize


@pytest.mark.parametrize(
    ("tail", "end"),
    [((), "CONV_2D"), (((3, "legacy"),), "RESIZE_BILINEAR")],
    ids=["no resize", "a smaller grid"],
)
def test_stride_needs_an_upsampling_at_the_end(tail, end):
    content = network(*tail)
    with pytest.raises(ConversionError, match=f"this one ends in {end}.*--head logits"):
        apply_head(content, "logits-stride")
    assert apply_head(network((24, "legacy")), "logits-stride").resize == "legacy"


@pytest.mark.parametrize(
    "tail", [("SOFTMAX",), ("LOGISTIC",), ("FLAT", "SOFTMAX", "MAP")]
)
def test_what_keeps_the_order_is_left_to_the_host(tail):
    cut = apply_head(network(*tail), "logits-stride")
    assert (kinds(cut.content), cut.resize, cut.head) == (["CONV_2D"], None, None)
    before, after = (run(c, pictures()) for c in (network(*tail), cut.content))
    np.testing.assert_array_equal(before.argmax(-1), after.argmax(-1))


def test_a_single_channel_of_probabilities_becomes_one_of_logits():
    cut = apply_head(network("LOGISTIC", classes=1), "logits-stride")
    assert (kinds(cut.content), cut.head) == (["CONV_2D"], "logit")
    before = run(network("LOGISTIC", classes=1), pictures())
    np.testing.assert_array_equal(before > 0.5, run(cut.content, pictures()) > 0)


@pytest.mark.parametrize("alignment", ALIGNMENTS)
def test_a_convolution_of_single_cells_changes_places_with_the_upsampling(alignment):
    whole = network((24, alignment), "CONV", "SOFTMAX")
    cut = apply_head(whole, "logits-stride")
    assert cut.resize == alignment
    assert kinds(cut.content) == ["CONV_2D", "CONV_2D"]
    # the host's upsampling behind it gives what the network gave
    flat = FlatModel(cut.content)
    draw = Drawing()
    draw.flat = flat
    end, size = int(flat.graph.outputs[0]), draw.constant(np.array([24, 24], np.int32))
    table = {"table": "ResizeBilinearOptionsT", **ALIGNMENTS[alignment]}
    shape = (1, 24, 24, CLASSES)
    again = draw.content(draw.apply("RESIZE_BILINEAR", [end, size], shape, **table))
    np.testing.assert_allclose(
        run(again, pictures()),
        run(network((24, alignment), "CONV"), pictures()),
        atol=1e-4,
    )


@pytest.mark.parametrize("tail", [(), ("SOFTMAX",), ((24, "half-pixel"), "SOFTMAX")])
def test_labels_are_the_largest_scores(tail):
    content = network(*tail)
    cut = apply_head(content, "labels").content
    assert "SOFTMAX" not in kinds(cut)
    labelled = join_argmax(cut)
    ids = run(labelled, pictures())
    assert ids.dtype == np.int32
    np.testing.assert_array_equal(ids, run(content, pictures()).argmax(-1))
    assert len(np.unique(ids)) == CLASSES
    output = FlatModel(labelled).graph.outputs[0]
    assert FlatModel(labelled).shape(output) == ids.shape[1:]


def test_one_channel_has_no_labels():
    with pytest.raises(ConversionError, match=r"single channel.*--head logits"):
        apply_head(network("LOGISTIC", classes=1), "labels")


@pytest.mark.parametrize(
    ("tail", "classes"),
    [
        ((), 5),
        (("SOFTMAX",), 5),
        (("LOGISTIC",), 1),
        (((24, "legacy"), "LOGISTIC"), 1),
        (((24, "half-pixel"), "CONV", "SOFTMAX"), 5),
        (("CONV",), 5),
        (((3, "legacy"),), 5),
        (((24, "legacy"), "CONV", "CONV"), 5),
        (("FLAT", "SOFTMAX", "MAP"), 5),
    ],
)
def test_check_advises_what_convert_does(tail, classes, tmp_path):
    content = network(*tail, classes=classes)
    (tmp_path / "net.tflite").write_bytes(content)
    advised = host_tail(read_model_graph(tmp_path / "net.tflite")).head
    if advised == "logits-stride":
        assert len(kinds(apply_head(content, advised).content)) < len(kinds(content))
    else:
        assert advised == ""
        with pytest.raises(ConversionError, match="take --head logits"):
            apply_head(content, "logits-stride")


@pytest.mark.parametrize("delegate", [True, False])
def test_labels_of_integers_are_those_of_the_integers(delegate):
    content = as_int8(network((24, "align-corners")))
    scores = run(content, pictures(), delegate=delegate)
    ids = run(join_argmax(content), pictures(), delegate=delegate)
    np.testing.assert_array_equal(ids, scores.argmax(-1))


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint8"])
def test_argmax_reads_every_integer_type(dtype):
    limits = np.iinfo(dtype)
    draw = Drawing()
    image = draw.image((1, 5, 5, 4), (0.1, 0))
    draw.flat.set_dtype(image, dtype)
    shape = draw.constant(np.array([1, 25, 4], np.int32))
    end = draw.apply("RESHAPE", [image, shape], (1, 25, 4), steps=(0.1, 0), dtype=dtype)
    labelled = join_argmax(draw.content(end))
    random = np.random.default_rng(2)
    values = random.integers(limits.min, limits.max, (2, 1, 5, 5, 4)).astype(dtype)
    expected = values.reshape(2, 1, 25, 4).argmax(-1)
    np.testing.assert_array_equal(run(labelled, values), expected)


def test_class_ids_keep_their_type_whatever_the_interface():
    content = set_interface(join_argmax(as_int8(network())), "float32")
    assert FlatModel(content).dtype(int(FlatModel(content).graph.outputs[0])) == "int32"
