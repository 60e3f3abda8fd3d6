from __future__ import annotations

import numpy as np
import pytest

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.matching import Matching, match_labels

TRUTH = ("background", "cat", "dog", "tvmonitor")


def test_labels_match_by_name_whatever_their_order_and_spelling():
    matching = match_labels(TRUTH, ("TV", "background", "Dog", "cat"))
    np.testing.assert_array_equal(matching.predicted_table[:4], [3, 0, 2, 1])
    np.testing.assert_array_equal(
        matching.truth_table[[0, 1, 2, 3, 255]], [0, 1, 2, 3, 255]
    )
    assert matching.chosen == (0, 1, 2, 3)


def test_truth_that_the_model_does_not_know_counts_as_background():
    matching = match_labels(TRUTH, ("background", "cat", "zebra"))
    np.testing.assert_array_equal(matching.truth_table[:4], [0, 1, 0, 0])
    np.testing.assert_array_equal(matching.predicted_table[:3], [0, 1, 0])
    assert matching.chosen == (0, 1)


def test_merging_folds_what_is_not_named_on_both_sides():
    names = ("background", "cat")
    matching = match_labels(TRUTH, TRUTH, Matching(names, merge_others=True))
    np.testing.assert_array_equal(matching.truth_table[:4], [0, 1, 0, 0])
    np.testing.assert_array_equal(matching.predicted_table[:4], [0, 1, 0, 0])
    kept = match_labels(TRUTH, TRUTH, Matching(names))
    np.testing.assert_array_equal(kept.predicted_table[:4], [0, 1, 2, 3])
    assert matching.chosen == kept.chosen == (0, 1)


def test_classes_that_nobody_knows_are_named():
    with pytest.raises(InputError, match="no class 'zebra'"):
        match_labels(TRUTH, TRUTH, Matching(("zebra",)))
    with pytest.raises(InputError, match="no class name in common"):
        match_labels(TRUTH, ("road", "kerb"))
