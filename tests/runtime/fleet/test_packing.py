"""Wheels for boards: whole, no others beside them, and a name for their content."""

from __future__ import annotations

import hashlib
import json

import pytest
from click.testing import CliRunner
from loopback_board import write_wheel

from edgeseg.devices import InputError
from edgeseg.runtime.cli import main
from edgeseg.runtime.fleet.packing import BoardKind, check_glibc


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def fleet(tmp_path):
    CliRunner().invoke(main, ["fleet", "init", str(tmp_path / "fleet")])
    return tmp_path / "fleet"


def pack(folder, *words):
    call = ["fleet", "pack", folder, "--board", "aarch64-cp311", *words]
    return CliRunner().invoke(main, [str(word) for word in call])


def test_a_wheel_is_packed_with_its_hash(fleet, tmp_path):
    done = pack(fleet, "--wheel", write_wheel(tmp_path, "9.9"))
    assert done.exit_code == 0, done.output
    folder = fleet / "wheels/aarch64-cp311"
    record = json.loads((folder / "pack.json").read_text())
    (wheel,) = folder.glob("*.whl")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert record["files"] == {wheel.name: digest}
    assert record["install"] == "edgeseg==9.9"
    assert len(record["key"]) == 64


def test_another_version_takes_its_place_under_another_key(fleet, tmp_path):
    keys = []
    for version in ("9.9", "9.10", "9.10"):
        pack(fleet, "--wheel", write_wheel(tmp_path, version))
        folder = fleet / "wheels/aarch64-cp311"
        assert len(list(folder.glob("*.whl"))) == 1
        keys.append(json.loads((folder / "pack.json").read_text())["key"])
    assert keys[0] != keys[1] == keys[2]


def test_a_folder_that_is_no_fleet_is_one_line(tmp_path):
    done = pack(tmp_path)
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert "edgeseg fleet init" in done.output
    assert not list(tmp_path.iterdir())


def test_a_wheel_that_cannot_be_had_leaves_no_pack(fleet, tmp_path):
    needy = write_wheel(tmp_path, requires=["edgeseg-no-such-package-at-all==1"])
    done = pack(fleet, "--wheel", needy)
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert not (fleet / "wheels").exists()


@pytest.mark.parametrize(
    "text",
    ["armv7l-cp311", "aarch64", "aarch64-cp39", "aarch64-cp399", "", "a-cp311\n"],
)
def test_a_kind_of_board_that_is_none(text):
    with pytest.raises(InputError, match="--board"):
        BoardKind.parse(text)


@pytest.mark.parametrize("text", ["2.17", "3.1", "new", "2.36.1"])
def test_a_c_library_that_is_none(text):
    with pytest.raises(InputError, match=r"--glibc: expected 2\.27"):
        check_glibc(text)


def test_an_extra_is_a_name(fleet):
    done = pack(fleet, "--extra", "mqtt; rm")
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert "--extra" in done.output


def test_kinds_name_themselves():
    assert BoardKind.parse("x86_64-cp312").name == "x86_64-cp312"
