"""The noise of layers: the formula on real models, and what cannot be compared."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

from quantized_shapes import shapes

from edgeseg.converter.budgeting.noise import decibels, layer_noise
from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.converter.quantization.heads import set_interface
from edgeseg.converter.quantization.moments import Observed
from edgeseg.devices import ConversionError


@pytest.fixture(scope="module")
def small():
    return shapes()


@pytest.fixture(scope="module")
def layers(small):
    return layer_noise(small.content, small.whole, small.tensors)


def test_every_layer_is_there_in_the_graphs_order(small, layers):
    flat = small.quantization.flat
    operators = flat.graph.operators
    assert [layer.name for layer in layers] == [
        flat.name(int(o.outputs[0])) for o in operators
    ]
    assert [layer.operator for layer in layers] == [flat.kind(o) for o in operators]


def test_the_last_is_the_noise_of_the_scores(small, layers):
    first, second = (Observed(content) for content in (small.content, small.whole))
    scale, zero_point = second.flat.quantization(int(second.flat.graph.inputs[0]))
    signal = noise = 0.0
    for tensor in small.tensors:
        first.run(tensor)
        stored = np.rint(tensor.astype(np.float64) / scale) + zero_point
        second.run(np.clip(stored, -128, 127).astype(np.int8))
        scores, others = (m.real(int(m.flat.graph.outputs[0])) for m in (first, second))
        signal += float(np.sum(np.square(scores, dtype=np.float64)))
        noise += float(np.sum(np.square(scores - others, dtype=np.float64)))
    np.testing.assert_allclose(layers[-1].sqnr_db, 10 * np.log10(signal / noise), 1e-6)
    assert 15 < layers[-1].sqnr_db < 50  # 8 bits cannot have more than 50


def test_float_against_itself_has_no_noise(small):
    layers = layer_noise(small.content, small.content, small.tensors[:1])
    assert {layer.sqnr_db for layer in layers} == {None}
    assert json.loads(json.dumps(layers[0].to_dict())) == {
        "name": layers[0].name,
        "operator": "CONV_2D",
        "sqnr_db": None,
    }


def test_16_bits_have_less_noise_than_8(small, layers):
    finer = layer_noise(
        small.content, small.recipe("int16x8").make(), small.tensors[:2]
    )
    coarser = {layer.name: layer.sqnr_db for layer in layers}
    assert finer[-1].sqnr_db > coarser[finer[-1].name] + 6  # one bit is 6 dB


def test_the_outer_type_changes_nothing(small, layers):
    wrapped = set_interface(small.whole, "uint8")
    others = layer_noise(small.content, wrapped, small.tensors)
    assert others == layers


def test_models_that_have_nothing_to_do_with_each_other(small):
    flat = FlatModel(small.whole)
    for tensor in flat.graph.tensors:
        tensor.name = b"other/" + tensor.name
    with pytest.raises(ConversionError, match="0 shared activations and 1 tensors"):
        layer_noise(small.content, flat.to_bytes(), small.tensors[:1])
    with pytest.raises(ConversionError, match="and 0 tensors"):
        layer_noise(small.content, small.whole, [])


def test_noise_falls_where_operators_stay_in_float(small, layers):
    flat = FlatModel(small.content)
    kept = range(len(flat.graph.operators) // 2)
    fewer = layer_noise(small.content, small.quantization.make(kept), small.tensors)
    assert fewer[-1].sqnr_db > layers[-1].sqnr_db


def test_ratios():
    np.testing.assert_allclose(decibels(1000.0, 1.0), 30.0)
    np.testing.assert_allclose(decibels(1.0, 10.0), -10.0)
    assert decibels(0.0, 1.0) is None
