"""What operators cost: all that can be kept, the dear ones first, in the time given."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

from quantized_shapes import shapes

from edgeseg.converter.budgeting.final_scores import (
    final_scores,
    mean_squared_error,
    with_output_of,
)
from edgeseg.converter.budgeting.keepable import KeepableOperator, keepable
from edgeseg.converter.budgeting.sensitivity import (
    eliminated,
    measure_sensitivity,
    run_length,
)
from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.devices import ConversionError


@pytest.fixture(scope="module")
def small():
    return shapes()


@pytest.fixture(scope="module")
def measured(small):
    lines = []
    found = measure_sensitivity(
        small.quantization, small.tensors[:2], limit_s=0, progress=lines.append
    )
    return found, lines


def places(operators):
    return [operator.place for operator in operators]


def error_of(small, kept):
    expected = list(final_scores(small.content, small.tensors))
    content = small.quantization.make(places(kept))
    return mean_squared_error(content, small.tensors, expected)


def test_scores_are_real_values_whatever_the_model_computes_in(small):
    for whole in (small.content, small.whole):
        scores = list(final_scores(whole, small.tensors[:2]))
        assert {(s.dtype.name, s.shape) for s in scores} == {
            ("float32", (1, 129, 129, 4))
        }
    first, second = (
        next(final_scores(content, small.tensors)).argmax(axis=-1)
        for content in (small.content, small.whole)
    )
    assert np.mean(first == second) > 0.97


def test_all_that_int8_quantizes_can_be_kept(small):
    found = keepable(small.quantization.flat, FlatModel(small.whole))
    assert places(found) == list(range(len(small.quantization.flat.graph.operators)))


def test_a_recipe_with_float_activations_still_quantizes_weights(small):
    whole = FlatModel(small.recipe("dynamic-int8").make())
    kinds = {o.operator for o in keepable(small.quantization.flat, whole)}
    assert kinds == {"CONV_2D", "DEPTHWISE_CONV_2D"}


def test_a_recipe_that_quantizes_nothing(small):
    with pytest.raises(ConversionError, match="leaves all of them in float"):
        measure_sensitivity(small.recipe("float32"), small.tensors[:1])


def test_every_operator_is_ranked_by_its_cost(small, measured):
    found, lines = measured
    flat = small.quantization.flat
    assert found.method == "cost of runs"
    assert sorted(places(found.ranking)) == list(range(len(flat.graph.operators)))
    costs = [operator.cost for operator in found.ranking]
    assert costs == sorted(costs, reverse=True)
    assert lines[0] == f"measuring {len(costs)} operators, {found.run} at a time"
    ranked = json.loads(json.dumps(found.to_dict()))["ranking"]
    assert ranked[0]["operator"] == flat.kind(
        flat.graph.operators[found.ranking[0].place]
    )


def test_the_dear_half_in_float_beats_the_cheap_half(small, measured):
    ranking = measured[0].ranking
    half = len(ranking) // 2
    dear, cheap = error_of(small, ranking[:half]), error_of(small, ranking[-half:])
    assert dear < 0.7 * cheap  # runs of 4 share their cost
    assert dear < 0.6 * error_of(small, [])


def test_the_same_ranking_twice(small, measured):
    again = measure_sensitivity(small.quantization, small.tensors[:2], limit_s=0)
    assert places(again.ranking) == places(measured[0].ranking)


@pytest.mark.parametrize(
    ("operators", "affordable", "expected"),
    [(68, 1000.0, 1), (68, 68.0, 1), (68, 67.9, 2), (200, 0.0, 25), (3, 0.0, 1)],
)
def test_neighbours_are_measured_together_where_time_is_short(
    operators, affordable, expected
):
    assert run_length(operators, affordable) == expected


def test_elimination_sees_what_neighbours_share():
    """Quantizing 1, 2 or 3 costs 5 once: kept apart, none of them wins anything."""
    operators = [
        KeepableOperator(p, f"t{p}", "ADD", c) for p, c in enumerate([4, 5, 5, 5, 1])
    ]

    def error(kept):
        gone = {0, 1, 2, 3, 4} - set(places(kept))
        return 4 * (0 in gone) + 5 * bool(gone & {1, 2, 3}) + 1 * (4 in gone)

    order = places(eliminated(operators, error))
    assert order[-2:] == [0, 4]  # 0 goes before the three, though 5 alone is dearer
    assert sorted(order[:3]) == [1, 2, 3]


def test_each_operator_by_itself_where_there_is_time(small):
    """A small part of the network, so that elimination ends soon."""
    flat = small.quantization.flat
    count = len(flat.graph.operators)
    found = keepable(flat, FlatModel(small.whole))[:6]
    expected = list(final_scores(small.content, small.tensors[:2]))

    def error(kept):
        others = list(range(6, count))
        content = small.quantization.make([*places(kept), *others])
        return mean_squared_error(content, small.tensors[:2], expected)

    order = eliminated(found, error)
    assert sorted(places(order)) == list(range(6))
    assert error(order[:3]) <= error(order[3:])


def test_scores_keep_their_type_where_the_last_operator_stays_in_float(small):
    last = len(small.quantization.flat.graph.operators) - 1
    content = small.quantization.make([last])
    assert output_of(content)[0] == "float32"
    assert output_of(with_output_of(content, small.whole)) == output_of(small.whole)
    assert with_output_of(small.whole, small.whole) == small.whole
    half_step = 0.5 * output_of(small.whole)[1]
    for scores, stored in zip(
        final_scores(content, small.tensors[:2]),
        final_scores(with_output_of(content, small.whole), small.tensors[:2]),
        strict=True,
    ):
        inside = np.abs(scores - np.clip(scores, stored.min(), stored.max())) == 0
        assert inside.mean() > 0.99
        np.testing.assert_allclose(
            stored[inside], scores[inside], rtol=0, atol=1.001 * half_step
        )


def output_of(content):
    flat = FlatModel(content)
    index = int(flat.graph.outputs[0])
    return flat.dtype(index), *flat.quantization(index)
