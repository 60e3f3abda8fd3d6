"""`__all__` is what is public, sorted."""

from __future__ import annotations

import importlib
import types

import pytest

PACKAGES = [
    "edgeseg.devices",
    "edgeseg.runtime",
    "edgeseg.runtime.sources",
    "edgeseg.runtime.sinks",
    "edgeseg.runtime.datasets",
    "edgeseg.runtime.effects",
    "edgeseg.runtime.gstreamer",
    "edgeseg.runtime.drawing",
    "edgeseg.runtime.shipped",
    "edgeseg.converter.shipped",
    "edgeseg.converter",
    "edgeseg.benchmarks",
]


@pytest.mark.parametrize("name", PACKAGES)
def test_all_is_what_is_public(name):
    package = importlib.import_module(name)
    public = {
        key
        for key, value in vars(package).items()
        if not key.startswith("_")
        and not isinstance(value, types.ModuleType)
        and key != "annotations"
    }
    assert set(package.__all__) == public


@pytest.mark.parametrize("name", PACKAGES)
def test_all_is_sorted_and_importable(name):
    package = importlib.import_module(name)
    assert list(package.__all__) == sorted(package.__all__, key=_ruff_order)
    assert all(hasattr(package, key) for key in package.__all__)


def _ruff_order(key):
    """Constants first, then classes, then functions: how the linter sorts."""
    rank = 0 if key.isupper() else 1 if key[0].isupper() else 2
    return rank, key
