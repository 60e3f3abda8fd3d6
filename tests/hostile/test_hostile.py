"""The short part: some inputs of every kind, always the same ones.

``cd tests && python -m hostile`` is the long part.
"""

from __future__ import annotations

from random import Random

import pytest
from hostile.catalogue import kinds, shares
from hostile.driver import Driver
from hostile.places import Places

SEED = 1
KINDS = kinds()
ALIKE = [("manifest", 3), ("pictures", 0), ("config", 2), ("model_tail", 1)]


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    with Driver(tmp_path_factory.mktemp("cases")) as made:
        yield made


@pytest.mark.parametrize("name", sorted(KINDS, key=lambda name: KINDS[name].warm))
def test_hostile_input_is_refused_or_used_well(name, driver, tmp_path):
    kind = KINDS[name]
    faults = {}
    for number in range(kind.short):
        found = driver.run(name, kind, SEED, number, tmp_path).faults
        if found:
            command = f"python -m hostile --kinds {name} --seed {SEED} --only {number}"
            faults[f"cd tests && {command}"] = found
    assert not faults, f"{faults}; inputs in {tmp_path}"


def test_an_interpreter_of_its_own_is_judged_alike(driver, tmp_path):
    with Driver(tmp_path, plain=True) as plain:
        for name, number in ALIKE:
            forked, own = (
                one.run(name, KINDS[name], SEED, number) for one in (driver, plain)
            )
            assert forked.case.argv == own.case.argv
            assert forked.outcome.status == own.outcome.status
            assert forked.outcome.stderr == own.outcome.stderr
            assert forked.faults == own.faults


def test_equal_seeds_make_equal_inputs(tmp_path):
    for name in ("tflite", "manifest", "pictures", "records", "config"):
        made = []
        for turn in range(2):
            places = Places(tmp_path / f"{name}{turn}")
            KINDS[name].make(places.work, Random(f"{SEED}/{name}"), 0)
            files = sorted(p for p in places.work.rglob("*") if p.is_file())
            made.append({p.name: p.read_bytes() for p in files})
        assert made[0] == made[1]


def test_every_kind_has_its_share():
    counts = shares(10_000, KINDS)
    assert counts.keys() == KINDS.keys()
    assert sum(counts.values()) >= 10_000 - len(counts)
    assert min(counts.values()) > 100
