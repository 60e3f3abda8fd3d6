"""The examples in docstrings are run: those that nobody runs rot."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from edgeseg.devices import MissingDriverError

PACKAGES = (
    "edgeseg.devices",
    "edgeseg.runtime",
    "edgeseg.converter",
    "edgeseg.benchmarks",
)


def modules():
    for package in PACKAGES:
        yield package
        path = importlib.import_module(package).__path__
        for info in pkgutil.walk_packages(path, package + "."):
            yield info.name


@pytest.mark.parametrize("name", sorted(set(modules())))
def test_examples(name):
    try:
        module = importlib.import_module(name)
    except MissingDriverError as error:
        pytest.skip(str(error))
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert doctest.testmod(module, optionflags=options).failed == 0
