"""Every layout keeps the contract of a data set, and the check sees who breaks it."""

from __future__ import annotations

import numpy as np
import pytest
from layouts import DRAWERS, SPLIT

from edgeseg.devices import InputError
from edgeseg.runtime.accuracy.contract import check_dataset
from edgeseg.runtime.accuracy.open import DATASETS


def test_every_layout_is_drawn_here():
    assert sorted(DRAWERS) == list(DATASETS.names())


@pytest.mark.parametrize("name", DATASETS.names())
def test_every_layout_keeps_the_contract(name, tmp_path):
    DRAWERS[name](tmp_path)
    check_dataset(DATASETS.load(name), tmp_path, SPLIT)


Voc = DATASETS.load("voc")


class Unordered(Voc):
    opened = 0

    def __init__(self, *args):
        super().__init__(*args)
        type(self).opened += 1
        if type(self).opened % 2:
            self._ids = self._ids[::-1]


class Outside(Voc):
    @property
    def ids(self):
        return ("../one", *super().ids)


class Wide(Voc):
    def table(self, name):
        return super().table(name).astype(np.int32)


class Unlabelled(Voc):
    def truth(self, name):
        return np.full_like(super().truth(name), 99)


class Greedy(Voc):
    @classmethod
    def recognizes(cls, root):
        return True


class Lenient(Voc):
    def __init__(self, root, split, labels=None):
        try:
            super().__init__(root, split, labels)
        except InputError:
            self._ids, self._labels = (), ()


class Stubborn(Voc):
    def __init__(self, root, split, labels=None):
        super().__init__(root, split)


class Untidy(Voc):
    def truth_path(self, name):
        path = super().truth_path(name)
        path.with_suffix(".cache").touch()
        return path


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (Unordered, "fixed order"),
        (Outside, "stays inside"),
        (Wide, "int16"),
        (Unlabelled, "has a label or is void"),
        (Greedy, "no empty folder"),
        (Lenient, "without pictures was opened"),
        (Stubborn, "labels replaces"),
        (Untidy, "leaves the folder"),
    ],
)
def test_a_broken_layout_is_found(broken, rule, tmp_path):
    DRAWERS["voc"](tmp_path)
    with pytest.raises(AssertionError, match=rule):
        check_dataset(broken, tmp_path, SPLIT)
