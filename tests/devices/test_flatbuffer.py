"""What a model names is looked for: it saves the process that does not verify."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseg.devices.flatbuffer import is_whole
from edgeseg.runtime.shipped import model_file

SHIPPED = model_file().read_bytes()
# the flatbuffer ends where the archive with the manifest begins
END = SHIPPED.rindex(b"PK\x03\x04", 0, SHIPPED.index(b"edgeseg.json"))


def test_whole_models_are_whole(golden_model):
    assert is_whole(SHIPPED)
    assert is_whole(SHIPPED[:END])
    assert is_whole(golden_model.read_bytes())


def test_real_models_are_whole(shared):
    models = sorted((shared / "models" / "tflite").glob("*/*.tflite"))
    assert models
    assert all(is_whole(path.read_bytes()) for path in models)


@given(st.integers(0, END - 64))
def test_what_is_cut_is_seen(size):
    assert not is_whole(SHIPPED[:size])


@pytest.mark.parametrize("seed", range(20))
def test_damage_is_no_exception(seed):
    rng = np.random.default_rng(seed)
    damaged = np.frombuffer(SHIPPED[:60_000], np.uint8).copy()
    damaged[rng.integers(0, 8000, 30)] = rng.integers(0, 256, 30)
    assert is_whole(damaged.tobytes()) in (True, False)
