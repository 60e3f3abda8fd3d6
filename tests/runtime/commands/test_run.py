"""What ``edgeseg run`` prints at the end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from edgeseg.runtime.cli import main
from edgeseg.runtime.commands.run_options import RunSettings


@pytest.mark.parametrize(("frames", "words"), [(1, "1 picture;"), (2, "2 pictures;")])
def test_the_summary_counts_pictures(golden_model, frames, words):
    source = f"synthetic:64x48,frames={frames}"
    done = CliRunner().invoke(main, ["run", str(golden_model), source])
    assert done.exit_code == 0, done.output
    assert done.output.startswith(words)
    done = CliRunner().invoke(main, ["run", str(golden_model), source, "--json"])
    assert json.loads(done.output)["pictures"] == frames


@pytest.mark.parametrize("output", ["mask:ids", "masks:"])
def test_an_output_that_cannot_be_meant_leaves_nothing(
    golden_model, output, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    words = ["run", str(golden_model), "synthetic:64x48,frames=1", "-o", output]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 1
    assert len(done.output.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.fixture
def damaged(tmp_path):
    """A folder with two pictures and many files that only call themselves so."""
    for number in range(60):
        (tmp_path / f"bad{number:02d}.jpg").write_bytes(b"no picture")
    for name in ("good.png", "well.png"):
        Image.new("RGB", (64, 48), (200, 30, 30)).save(tmp_path / name)
    return tmp_path


def test_all_that_could_not_be_read_is_named(golden_model, damaged):
    for number in range(3, 60):
        (damaged / f"bad{number:02d}.jpg").unlink()
    done = CliRunner().invoke(main, ["run", str(golden_model), str(damaged)])
    assert done.exit_code == 1
    lines = done.stderr.splitlines()
    for number, line in enumerate(lines[:3]):
        assert line.startswith(f"cannot read picture {damaged}/bad{number:02d}.jpg")
    assert lines[3:] == [
        "Error: 3 of 5 pictures could not be read, the others are done"
    ]
    assert done.stdout.startswith("2 pictures;")


def test_many_are_counted_and_json_has_them_all(golden_model, damaged):
    words = ["run", str(golden_model), str(damaged), "--json"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 1
    summary = json.loads(done.stdout)
    assert summary["pictures"] == 2
    assert len(summary["failures"]) == 60
    assert len(done.stderr.splitlines()) == 51
    assert "60 of 62 pictures could not be read" in done.stderr
    assert "(of those 10 are not named)" in done.stderr


def test_one_that_could_not_be_read_is_one_line(golden_model, damaged):
    for number in range(1, 60):
        (damaged / f"bad{number:02d}.jpg").unlink()
    done = CliRunner().invoke(main, ["run", str(golden_model), str(damaged), "--json"])
    assert done.exit_code == 1
    assert len(json.loads(done.stdout)["failures"]) == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: 1 of 3 pictures could not be read")
    assert "bad00.jpg" in line


@pytest.mark.parametrize(
    ("web", "output"),
    [
        ("127.0.0.1:8080", "web:127.0.0.1:8080?root_path=/my/door"),
        (":9000?fps=5", "web::9000?fps=5&root_path=/my/door"),
    ],
)
def test_a_root_path_goes_to_the_page(web, output):
    settings = RunSettings(
        model=Path("m"), source="s", web=web, root_path="/my/door", outputs=("a/",)
    )
    assert settings.all_outputs == ("a/", output)


def test_a_root_path_without_a_page_is_wrong_usage(golden_model):
    words = ["run", str(golden_model), "synthetic:64x48,frames=1"]
    done = CliRunner().invoke(main, [*words, "--root-path", "/door"])
    assert done.exit_code == 2
    assert "--root-path: expected --web" in done.output
