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


ZONE = "all=0,0 1,0 1,1 0,1;enter_s=0;min_area=1"


def test_a_run_with_zones_tells_what_is_in_them(golden_model, tmp_path):
    frames, events = tmp_path / "found.jsonl", tmp_path / "events.jsonl"
    words = ["run", str(golden_model), "synthetic:160x120,frames=12", "--zone", ZONE]
    outputs = ["-o", str(frames), "-o", f"events:{events}", "--line", "mid=.5,0 .5,1"]
    done = CliRunner().invoke(main, [*words, *outputs])
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in frames.read_text().splitlines()]
    assert len(lines) == 12
    for line in lines:
        shares = {
            each["label"]: each["share"] for each in line["classes"] if each["id"] != 0
        }
        zone = line["zones"]["all"]
        for label, share in shares.items():
            if share > 0.01:
                assert zone[label]["share"] == pytest.approx(share, abs=0.01)
        assert line["lines"].keys() == {"mid"}
        assert all(thing["area"] > 0 for thing in line["things"])
        assert "zones" in line["timings_ms"]
    happened = [json.loads(line) for line in events.read_text().splitlines()]
    assert happened == [event for line in lines for event in line["events"]]
    assert {"enter", "count"} <= {event["event_type"] for event in happened}


def test_without_zones_a_line_has_none_of_it(golden_model, tmp_path):
    frames = tmp_path / "found.jsonl"
    words = ["run", str(golden_model), "synthetic:64x48,frames=2", "-o", str(frames)]
    assert CliRunner().invoke(main, words).exit_code == 0
    line = json.loads(frames.read_text().splitlines()[0])
    assert not line.keys() & {"zones", "lines", "things", "events"}
    assert set(line["timings_ms"]) == {"preprocess", "invoke", "postprocess"}


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (
            ["--zone", "a=0,0 900,0 900,900"],
            1,
            "zone a: points: they reach to 900,900, but the frame is 64x48: expected",
        ),
        (["--zone", "a=0,0 1,1 1,0 0,1"], 2, "zone a: points: expected a polygon that"),
        (["--zone", "a=0,0 1,0 1,1;classes=cow"], 1, "zone a: classes: unknown class"),
        (
            ["--in", "door"],
            1,
            "in: unknown zone 'door'; known: none (--zone gives one)",
        ),
        (
            ["-o", "command:cat"],
            1,
            "command: expected zones or lines, which events com",
        ),
    ],
)
def test_bad_zones_end_in_one_line(golden_model, options, status, message):
    words = ["run", str(golden_model), "synthetic:64x48,frames=2", *options]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == status
    last = done.output.splitlines()[-1]
    assert message in last
    assert "Traceback" not in done.output


def test_the_path_of_a_webhook_is_not_shown(golden_model):
    words = ["run", str(golden_model), "synthetic:64x48,frames=2", "--zone", ZONE]
    hook = "webhook:http://127.0.0.1:9/s3cret?key=s3cret#kinds=dwell"
    done = CliRunner().invoke(main, [*words, "-o", hook])
    assert done.exit_code == 0
    assert "written: webhook:http://127.0.0.1:9/...\n" in done.output
    assert "s3cret" not in done.output


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
