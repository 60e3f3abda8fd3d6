from __future__ import annotations

import numpy as np

from edgeseg.benchmarks.studies.peers.benchmark import peer_figures, reference_figures
from edgeseg.benchmarks.studies.peers.race import Turn


def measured(invoke, total):
    return {"preprocess": 1.0, "invoke": invoke, "postprocess": 2.0, "total": total}


TURNS = [
    Turn(measured(10, 20), measured(20, 20), {"it": measured(30, 10)}),
    Turn(measured(10, 10), measured(10, 30), {"it": measured(30, 40)}),
    Turn(measured(10, 10), measured(10, 10), {}),
]


def test_a_ratio_is_over_the_mean_of_before_and_after_in_its_own_turn():
    figures = peer_figures("it", TURNS)
    ratios = figures["ratio_to_edgeseg"]
    assert figures["turns"] == 2
    # 30 / 15 and 30 / 10; 10 / 20 and 40 / 20
    assert ratios["invoke"] == {"median": 2.5, "q1": 2.25, "q3": 2.75}
    assert ratios["picture_to_labels"] == {"median": 1.25, "q1": 0.875, "q3": 1.625}
    assert figures["ms"]["total"]["median"] == 25


def test_edgeseg_is_also_compared_with_itself():
    figures = reference_figures(TURNS)
    assert figures["ratio_to_itself"]["invoke"]["median"] == 1
    assert figures["ratio_to_itself"]["picture_to_labels"]["q3"] == 2
    np.testing.assert_allclose(figures["ms"]["invoke"]["median"], 10)
    np.testing.assert_allclose(figures["ms"]["total"]["median"], 15)
