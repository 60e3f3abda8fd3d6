"""Scores of counts that came from actors are those of one machine."""

from __future__ import annotations

import shutil

import pytest
from archives import edgeseg
from scenes import draw_dataset

for package in ("ray", "pyarrow"):
    pytest.importorskip(package, reason="needs the extra `archive`")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return draw_dataset(tmp_path_factory.mktemp("drawn"), 20)


def test_the_record_beside_a_reference_is_the_same(golden_model, drawn, tmp_path):
    reference = tmp_path / "ref"
    made = edgeseg("reference", golden_model, drawn, "-o", reference)
    assert made.returncode == 0, made.stderr
    words = "eval", golden_model, drawn, "--against", reference, "--stretch"
    records = [tmp_path / "one.json", tmp_path / "ray.json"]
    one = edgeseg(*words, "--json", records[0])
    assert one.returncode == 0, one.stderr
    many = edgeseg(*words, "--json", records[1], "--ray")
    assert (many.returncode, many.stdout) == (0, one.stdout), many.stderr
    assert records[1].read_bytes() == records[0].read_bytes()


def test_what_one_actor_finds_wrong_is_one_line(golden_model, drawn, tmp_path):
    shutil.copytree(drawn, tmp_path / "set")
    picture = next((tmp_path / "set").rglob("scene7.*"))
    picture.write_bytes(b"no picture")
    done = edgeseg("eval", golden_model, tmp_path / "set", "--ray")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "scene7" in done.stderr
