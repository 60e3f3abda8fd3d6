"""Input and scores in another type: the same numbers around the same graph."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert.tools", reason="needs the extra `convert`")

from graphs import Drawing, quantized, real, run

from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.converter.quantization.heads import INTERFACES, set_interface
from edgeseg.devices import ConversionError
from edgeseg.runtime.model.inspection import read_graph

SHAPE = (1, 6, 6, 4)
INPUT, OUTPUT = (0.02, -7), (0.1, 30)


def network():
    """Draw an int8 graph of one LOGISTIC and one rescaling behind it."""
    draw = Drawing()
    image = draw.image(SHAPE, INPUT)
    odds = draw.apply("LOGISTIC", [image], SHAPE, steps=(1 / 256, -128))
    return draw.content(draw.apply("QUANTIZE", [odds], SHAPE, steps=OUTPUT))


def ends(content):
    graph = read_graph(content)
    return graph.inputs[0], graph.outputs[0]


def pictures():
    return np.random.default_rng(0).uniform(-2.4, 2.6, (3, *SHAPE)).astype("float32")


@pytest.mark.parametrize("dtype", INTERFACES)
@pytest.mark.parametrize("delegate", [True, False])
def test_every_type_gives_the_same_real_scores(dtype, delegate):
    inner = network()
    content = set_interface(inner, dtype)
    assert [spec.dtype for spec in ends(content)] == [dtype, dtype]
    expected = real(inner, run(inner, quantized(inner, pictures()), delegate=delegate))
    scores = run(content, quantized(content, pictures()), delegate=delegate)
    np.testing.assert_allclose(real(content, scores), expected, atol=1e-6)
    assert len(np.unique(expected)) > 5


def test_the_type_that_it_has_already_costs_nothing():
    assert read_graph(set_interface(network(), "int8")).operators == (
        read_graph(network()).operators
    )


def test_unsigned_is_signed_moved_by_128():
    image, scores = ends(set_interface(network(), "uint8"))
    assert (image.scale, image.zero_point) == (np.float32(INPUT[0]), INPUT[1] + 128)
    assert (scores.scale, scores.zero_point) == (np.float32(OUTPUT[0]), OUTPUT[1] + 128)


def test_real_interface_has_no_steps():
    image, scores = ends(set_interface(network(), "float32"))
    assert (image.scale, scores.scale) == (0, 0)
    assert read_graph(set_interface(network(), "float32")).operators == {
        "QUANTIZE": 2,
        "LOGISTIC": 1,
        "DEQUANTIZE": 1,
    }


def wide(dtype, steps):
    draw = Drawing()
    image = draw.image(SHAPE, steps)
    draw.flat.set_dtype(image, dtype)
    made = draw.apply("LOGISTIC", [image], SHAPE, steps=steps, dtype=dtype)
    if steps:
        draw.flat.set_quantization(made, 1 / 32768, 0)
    return draw.content(made)


def test_sixteen_bits_are_given_as_real_numbers():
    content = set_interface(wide("int16", (0.001, 0)), "float32")
    scores = run(content, pictures())
    np.testing.assert_allclose(scores, 1 / (1 + np.exp(-pictures())), atol=1e-3)


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize("held", ["int16", "float32"])
def test_what_does_not_fit_is_refused(held, dtype):
    content = wide(held, (0.001, 0) if held == "int16" else None)
    with pytest.raises(ConversionError, match=rf"is {held}.*as {dtype}.*--io float32"):
        set_interface(content, dtype)


def test_the_model_itself_is_not_changed():
    content = network()
    before = FlatModel(content).to_bytes()
    set_interface(content, "float32")
    assert FlatModel(content).to_bytes() == before
