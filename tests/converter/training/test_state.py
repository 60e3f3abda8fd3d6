"""A state survives a round trip, and is refused where it does not fit."""

from __future__ import annotations

import numpy as np
import pytest

from edgeseg.converter.training.state import Progress, alone, read_state, write_state
from edgeseg.devices import InputError, OutputError

IDENTITY = {"seed": 1, "classes": ("a", "b")}


def test_a_round_trip(tmp_path):
    path = tmp_path / "last" / "state.npz"
    progress = Progress(step=5, total=9, best_miou=0.5, rows=[{"epoch": 1}])
    arrays = {"weights": [np.arange(12.0), np.float32([[2]])], "optimizer": []}
    write_state(path, IDENTITY, progress, arrays)
    found = read_state(path, IDENTITY)
    assert found is not None
    again, groups = found
    assert again == progress
    np.testing.assert_array_equal(groups["weights"][0], np.arange(12.0))
    np.testing.assert_array_equal(groups["weights"][1], [[2]])


def test_many_arrays_keep_their_order(tmp_path):
    path = tmp_path / "state.npz"
    write_state(path, {}, Progress(), {"weights": [np.full(1, i) for i in range(30)]})
    found = read_state(path, {})
    assert found is not None
    assert [int(v[0]) for v in found[1]["weights"]] == list(range(30))


def test_no_state_is_none(tmp_path):
    assert read_state(tmp_path / "state.npz", IDENTITY) is None


def test_other_settings_are_named(tmp_path):
    path = tmp_path / "state.npz"
    write_state(path, IDENTITY, Progress(), {})
    with pytest.raises(InputError, match=r"seed was 1, now 2.*--restart"):
        read_state(path, IDENTITY | {"seed": 2})


@pytest.mark.parametrize("keep", [0, 10, 200])
def test_a_damaged_state_is_refused(tmp_path, keep):
    path = tmp_path / "state.npz"
    write_state(path, IDENTITY, Progress(), {"weights": [np.zeros(99)]})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match="damaged: begin anew with --restart"):
        read_state(path, IDENTITY)


def test_one_training_a_folder(tmp_path):
    path = tmp_path / "last" / "lock"
    with alone(path), pytest.raises(OutputError, match="is in use"), alone(path):
        pytest.fail("the second one got in")
    with alone(path):
        assert path.exists()
