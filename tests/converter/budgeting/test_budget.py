"""The search for an accuracy budget: fewest operators, two halves, honest words."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

from quantized_shapes import shapes
from scenes import draw_dataset

from edgeseg.converter.budgeting.budget import fewest, search_budget
from edgeseg.converter.budgeting.candidates import FloatScores, invoke_ms
from edgeseg.converter.budgeting.keepable import KeepableOperator
from edgeseg.converter.budgeting.result import (
    Budget,
    SearchPoint,
    Verification,
    lost,
    reason,
)
from edgeseg.converter.budgeting.sensitivity import Sensitivity
from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.bootstrap import Interval
from edgeseg.runtime.accuracy.evaluation import evaluate_pair, halves
from edgeseg.runtime.accuracy.matching import Matching
from edgeseg.runtime.accuracy.open import open_dataset
from edgeseg.runtime.model.inspection import read_graph

pytestmark = pytest.mark.long  # converts or trains real networks


@pytest.fixture(scope="module")
def small():
    return shapes()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return open_dataset(draw_dataset(tmp_path_factory.mktemp("scenes"), 16), "val")


def search(small, dataset, max_drop, **options):
    with small.open(small.content) as reference:
        settings = {"open_result": small.open, "tensors": small.tensors[:2], **options}
        return search_budget(
            small.quantization,
            reference=reference,
            dataset=dataset,
            max_drop=max_drop,
            ranking_limit_s=0,
            **settings,
        )


@pytest.fixture(scope="module")
def generous(small, dataset):
    lines = []
    return search(small, dataset, 0.2, progress=lines.append), lines


@given(st.integers(0, 70), st.integers(0, 70))
def test_the_fewest_are_found_where_more_is_never_worse(least, most):
    tried = []

    def meets(number):
        tried.append(number)
        return number >= least

    assert fewest(meets, most) == (least if least <= most else None)
    assert len(tried) == len(set(tried)) <= 2 * np.log2(most + 1) + 3
    assert set(tried) <= set(range(most + 1))


@given(st.sets(st.integers(0, 40)), st.integers(0, 40))
def test_luck_below_a_failure_is_no_result(meeting, most):
    tried = set()

    def meets(number):
        tried.add(number)
        return number in meeting

    found = fewest(meets, most)
    if found is None:
        assert most not in meeting
    else:
        assert {number for number in tried if number >= found} <= meeting
        assert found == 0 or found - 1 not in meeting


def test_a_reference_that_is_remembered_scores_like_a_pair(small, dataset):
    names = dataset.ids[:5]
    with small.open(small.content) as first, small.open(small.whole) as second:
        matching = Matching(("disc", "square"))
        reference = FloatScores(first, dataset, names, matching=matching)
        standing = reference.against(second)
        pair = evaluate_pair(first, second, dataset, names=names, matching=matching)
    assert reference.classes == ("disc", "square")
    assert reference.miou == pair.reference.miou
    assert standing.miou == pair.candidate.miou
    assert standing.drop == pair.drop
    assert standing.agreement == pair.agreement


def test_a_model_costs_nothing_against_itself(small, dataset):
    with small.open(small.content) as opened:
        standing = FloatScores(opened, dataset, dataset.ids[:3]).against(opened)
        assert invoke_ms(opened, np.zeros((40, 60, 3), np.uint8)) > 0
    assert standing.drop == Interval(0.0, 0.0, 0.0)
    assert standing.agreement == 1.0


def test_a_generous_budget_is_met_with_nothing_in_float(small, dataset, generous):
    found, lines = generous
    assert found.met
    assert (found.chosen.kept, found.chosen.operators) == (0, ())
    assert set(read_graph(found.content).activations) == {"int8"}
    assert found.images == found.verification.images == 8
    assert "both within the 20.00 points allowed" in found.reason
    assert lines[-1] == "verifying 0 in float on 8 other pictures"


def test_the_curve_holds_every_set_in_order(small, generous):
    found, _ = generous
    count = len(found.ranking.ranking)
    doubling = [kept for kept in (0, 1, 2, 4, 8, 16) if kept < count // 2]
    assert [point.kept for point in found.curve] == [*doubling, count // 2]
    names = [operator.name for operator in found.ranking.ranking]
    for point in found.curve:
        assert point.operators == tuple(names[: point.kept])
        assert point.drop.low <= point.drop.difference <= point.drop.high
        np.testing.assert_allclose(
            point.miou, found.reference_miou - point.drop.difference, atol=1e-12
        )
    assert found.curve[-1].agreement > found.curve[0].agreement


def test_the_report_gets_json(generous):
    values = json.loads(json.dumps(generous[0].to_dict(), allow_nan=False))
    assert values["chosen"] == 0
    assert {"kept", "miou", "drop", "agreement", "latency_ms"} <= set(
        values["curve"][0]
    )
    assert values["verification"]["met"] is True
    assert "content" not in values
    assert "content" not in repr(generous[0])


def test_each_half_has_its_own_part(small, dataset, generous):
    """The verified loss is that of the other half's pictures alone."""
    found, _ = generous
    with small.open(small.content) as first, small.open(small.whole) as second:
        pair = evaluate_pair(first, second, dataset, names=halves(dataset.ids)[1])
    assert found.verification.drop == pair.drop
    assert found.verification.reference_miou == pair.reference.miou


def test_a_budget_out_of_reach_keeps_nothing(small, dataset):
    """Whatever is made is opened as a model that sees nothing but background."""
    found = search(small, dataset, 0.01, open_result=lambda _: small.open(blind(small)))
    assert not found.met
    assert (found.chosen, found.verification, found.content) == (None, None, None)
    most = len(found.ranking.ranking) // 2
    assert found.curve[-1].kept == most
    assert found.reason.startswith(f"The largest set, {most} of ")
    json.dumps(found.to_dict(), allow_nan=False)


def test_the_fewest_are_searched_between_two_sets(small, dataset):
    """Whatever has fewer than 5 operators in float sees nothing but background."""

    def opened(content):
        return small.open(content if floats(content) >= 5 else blind(small))

    found = search(small, dataset, 0.2, open_result=opened)
    assert found.met
    assert found.chosen.kept == floats(found.content) == 5
    assert {4, 5, 6, 8} <= {point.kept for point in found.curve}
    graph = read_graph(found.content)
    assert (graph.inputs[0].dtype, graph.outputs[0].dtype) == ("int8", "int8")


def test_what_fails_on_the_second_half_is_not_met(small, dataset):
    calls = []

    def opened(content):
        calls.append(content)
        return small.open(blind(small) if calls.count(content) == 2 else content)

    found = search(small, dataset, 0.2, open_result=opened)
    assert (found.met, found.content, found.chosen.kept) == (False, None, 0)
    assert found.verification.drop.low > 0.2
    assert "Nothing is tuned on the second half" in found.reason


def floats(content):
    """Return how many operators compute in float."""
    flat = FlatModel(content)
    return sum(
        flat.dtype(int(o.outputs[0])) == "float32" and flat.kind(o) != "DEQUANTIZE"
        for o in flat.graph.operators
    )


def blind(small):
    flat = FlatModel(small.content)
    convolution = [o for o in flat.graph.operators if flat.kind(o) == "CONV_2D"][-1]
    index = int(convolution.inputs[2])
    bias = flat.constant(index) + np.float32([1000, 0, 0, 0])
    flat.set_constant(index, bias)
    return flat.to_bytes()


@pytest.mark.parametrize("max_drop", [-0.001, 1.0, 10.0, float("nan")])
def test_a_budget_that_is_no_share(small, dataset, max_drop):
    with pytest.raises(InputError, match="expected a budget from 0 up to 100 points"):
        search(small, dataset, max_drop)


def test_one_picture_cannot_be_halved(small, tmp_path):
    one = open_dataset(draw_dataset(tmp_path / "one", 1), "val")
    with pytest.raises(InputError, match="at least 2 pictures with truth"):
        search(small, one, 0.1)


def budget(drop, verified=None):
    """Return a budget of a tenth of a point, as a search may leave it."""
    operators = tuple(KeepableOperator(i, f"t{i}", "ADD", 1.0) for i in range(10))
    interval = Interval(drop, drop - 0.005, drop + 0.005)
    point = SearchPoint(3, ("t0", "t1", "t2"), 0.7, interval, 0.99, 8.0)
    other = None
    if verified is not None:
        loss = Interval(verified, verified - 0.004, verified + 0.004)
        other = Verification(99, verified <= 0.001, 0.7, 0.7, loss, 0.99)
    return Budget(
        max_drop=0.001,
        met=other is not None and other.met,
        reason="",
        images=100,
        classes=("background",),
        reference_miou=0.7,
        ranking=Sensitivity("cost", 1, 0.1, operators),
        curve=(point,),
        chosen=None if drop > 0.001 else point,
        verification=other,
    )


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            budget(0.0005, 0.0007),
            "With 3 of 10 operators in float, loses +0.05 points (-0.45 to +0.55) on "
            "the 100 pictures searched, loses +0.07 points (-0.33 to +0.47) on the 99 "
            "others: both within the 0.10 points allowed.",
        ),
        (
            budget(0.0005, 0.0032),
            "but loses +0.32 points (-0.08 to +0.72) on the 99 others: over the 0.10 "
            "points allowed.",
        ),
        (
            budget(0.004),
            "The largest set, 3 of 10 operators in float, loses +0.40 points (-0.10 to "
            "+0.90) on the 100 pictures searched: over the 0.10 points allowed. With",
        ),
        (budget(0.0005), "not verified"),
    ],
)
def test_the_reason_gives_both_figures(found, words):
    assert words in reason(found)
    assert "\n" not in reason(found)


def test_small_sets_that_lose_less_are_called_luck():
    found = budget(0.004)
    lucky = replace(found.curve[0], kept=1, drop=Interval(-0.001, -0.01, 0.01))
    told = reason(replace(found, curve=(lucky, *found.curve)))
    assert "That 1 in float lose less is taken for luck." in told


def test_a_gain_is_told_with_its_sign():
    assert lost(Interval(-0.002, -0.004, 0.0)) == (
        "loses -0.20 points (-0.40 to +0.00)"
    )
