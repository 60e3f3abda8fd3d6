"""A state survives a round trip, and is refused where it does not fit."""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict

import numpy as np
import pytest

from edgeseg.converter.training.state import Progress, alone, read_state, write_state
from edgeseg.devices import InputError, OutputError

ROW = {"epoch": 1, "loss": 0.5, "val_miou": None, "seconds": 2.0}
IDENTITY = {"seed": 1, "classes": ("a", "b")}


def test_a_round_trip(tmp_path):
    path = tmp_path / "last" / "state.npz"
    progress = Progress(step=5, total=9, best_miou=0.5, rows=[ROW])
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


def changed_state(path, **changes):
    """Write a state with changed entries of its archive."""
    write_state(path, {}, Progress(rows=[dict(ROW)]), {"weights": [np.ones(3)]})
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts.update(changes)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def array_file(head):
    text = head.encode().ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    "content",
    [
        array_file("{'descr': ("),
        array_file("{'descr': '<f4', 'fortran_order': False, 'shape': (99, 1 << 60)}"),
        array_file(
            "{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999999,)}"
        ),
        array_file("[" * 90),
        b"no array",
        b"",
    ],
)
def test_an_array_that_is_none_is_refused(tmp_path, content):
    for name in ("weights_0.npy", "meta.npy"):
        path = tmp_path / "state.npz"
        changed_state(path, **{name: content})
        with pytest.raises(InputError, match="damaged"):
            read_state(path, {})


@pytest.mark.parametrize(
    "change",
    [
        {"step": "3"},
        {"step": True},
        {"step": 1.5},
        {"seconds": None},
        {"seconds": 10**400},
        {"settled": 1},
        {"rows": {}},
        {"rows": [1]},
        {"rows": [{}]},
        {"rows": [{**ROW, "loss": "x"}]},
        {"rows": [{**ROW, "epoch": None}]},
        {"rows": [{**ROW, "seconds": None}]},
        {"rows": [{**ROW, "val_miou": float("inf")}]},
        {"unknown": 1},
    ],
)
def test_a_progress_of_other_types_is_refused(tmp_path, change):
    path = tmp_path / "state.npz"
    record = {"settings": {}, "progress": {**asdict(Progress()), **change}}
    text = np.frombuffer(json.dumps(record).encode(), np.uint8)
    np.savez(path, meta=text)
    with pytest.raises(InputError, match="damaged"):
        read_state(path, {})


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "state.npz"
    changed_state(path)
    found = read_state(path, {})
    assert found is not None
    assert found[0].rows == [ROW]
