"""The command with a Ray of its own: what it writes, goes on with, and refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from archives import as_run, common, edgeseg, files_of, run_on_one_machine
from readmes import Readme

for package in ("ray", "pyarrow"):
    pytest.importorskip(package, reason="needs the extra `archive`")


@pytest.fixture(scope="module")
def archived(golden_model, photos, tmp_path_factory):
    """An archive of the photos: the finished process, and its folder."""
    out = tmp_path_factory.mktemp("archived") / "out"
    words = "archive", golden_model, photos, "-o", out, "--overlays", "--json"
    before = leftovers()
    done = edgeseg(*words)
    assert leftovers() <= before
    return done, out


def leftovers():
    return {path.name for path in Path("/tmp").glob("edgeseg-ray-*")}


def rows_of(out):
    from pyarrow import parquet

    return parquet.read_table(out / "areas").to_pylist()


def test_masks_rows_and_overlays_are_those_of_a_run(
    archived, golden_model, photos, tmp_path
):
    _, out = archived
    expected = run_on_one_machine(golden_model, photos, tmp_path)
    assert {row["name"]: as_run(row) for row in rows_of(out)} == {
        name: common(row) for name, row in expected.items()
    }
    assert len(rows_of(out)) == len(expected) == 26
    assert files_of(out / "masks") == files_of(tmp_path / "masks")
    edgeseg("run", golden_model, photos, "-o", f"{tmp_path / 'overlays'}/")
    assert files_of(out / "overlays") == files_of(tmp_path / "overlays")


def test_the_readme_reads_the_rows(archived, root, tmp_path, monkeypatch):
    (code,) = (
        Readme(root / "runtime" / "README.md").section("Archives").blocks("python")
    )
    (tmp_path / "archived").symlink_to(archived[1])
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(code, names)
    assert names["rows"] == rows_of(archived[1])


def test_what_cannot_be_read_is_listed_and_the_others_are_done(archived):
    done, out = archived
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert len(lines) == 4, done.stderr  # three names, one error, nothing of Ray's
    assert lines[3] == "Error: 3 of 29 could not be read, the others are done"
    summary = json.loads(done.stdout)
    assert (summary["done"], summary["unread"]) == (26, 3)
    listed = [json.loads(x) for x in (out / "unread.jsonl").read_text().splitlines()]
    assert [each["name"] for each in listed] == ["1/bad", "2/cut", "bad"]
    assert "truncated" in listed[1]["reason"]


def test_a_second_run_does_what_is_left(archived, golden_model, photos):
    _, out = archived
    rows, masks = rows_of(out), files_of(out / "masks")
    (out / "areas" / "part-000001.parquet").write_bytes(b"")
    done = edgeseg("archive", golden_model, photos, "-o", out, "--overlays")
    assert done.returncode == 1
    assert "part-000001.parquet" in done.stderr  # cut by what else wrote there
    (out / "areas" / "part-000001.parquet").unlink()
    done = edgeseg("archive", golden_model, photos, "-o", out, "--overlays", "--json")
    assert json.loads(done.stdout)["done_before"] == 26
    assert json.loads(done.stdout)["done"] == 0
    assert (rows_of(out), files_of(out / "masks")) == (rows, masks)


def test_other_files_of_the_same_names_are_refused(
    archived, golden_model, photos, tmp_path
):
    _, out = archived
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "p00.png").write_bytes((photos / "1" / "p01.png").read_bytes())
    words = "-o", out, "--overlays", "--dry-run"
    done = edgeseg("archive", golden_model, tmp_path, *words)
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"Error: {out} has the results of other files: 0/p00 was")
    # the same ones, spelled in another way
    again = edgeseg("archive", golden_model, photos.name, *words, cwd=photos.parent)
    assert again.returncode == 0, again.stderr


def test_a_dry_run_writes_nothing(golden_model, photos, tmp_path):
    words = "archive", golden_model, photos, "-o", tmp_path / "out", "--dry-run"
    done = edgeseg(*words, "--limit", 5, "--json")
    assert json.loads(done.stdout)["left"] == {"pictures": 5, "videos": 0}
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["photos", "-o", "photos/out"], "in the source"),
        (["photos", "-o", "out", "--ray", "127.0.0.1:9"], "no cluster of Ray at"),
        (["photos", "-o", "out", "--ray", "somewhere"], "expected HOST:PORT"),
        (["nowhere", "-o", "out"], "no such file"),
        (["empty", "-o", "out"], "no pictures in empty"),
        (["list.txt", "-o", "out"], "list.txt"),
        (["s3x://bucket/photos", "-o", "out"], "cannot read s3x://"),
        (["photos", "-o", "list.txt"], "expected a folder"),
        (["photos", "-o", "out", "--sample", "none"], "as 5%"),
        (["photos", "-o", "out", "--sample", "0%"], "as 5%"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    golden_model, photos, tmp_path, words, expected
):
    (tmp_path / "photos").symlink_to(photos)
    (tmp_path / "empty").mkdir()
    (tmp_path / "list.txt").write_text("nowhere.jpg")
    before = sorted(os.listdir(tmp_path))
    done = edgeseg("archive", golden_model, *words, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("Error: ")
    assert expected in last
    assert len(done.stderr.splitlines()) == (1 if done.returncode == 1 else 4)
    assert sorted(os.listdir(tmp_path)) == before
    assert not list(photos.glob("out"))


def test_without_the_extra_its_name_is_given(golden_model, photos, tmp_path):
    blocked = tmp_path / "ray.py"
    blocked.write_text("raise AssertionError('is not to be imported')")
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as util\n"
        "find = util.find_spec\n"
        "util.find_spec = lambda name, *a: None if name == 'ray' else find(name, *a)\n"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = edgeseg(
        "archive",
        golden_model,
        photos,
        "-o",
        tmp_path / "out",
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.stderr.splitlines() == [
        "Error: this needs the package ray: pip install 'edgeseg[archive]'"
    ]
    assert not (tmp_path / "out").exists()


POISON = """
import os
import sys
from pathlib import Path

import edgeseg.runtime.archive.job as job
from edgeseg.runtime.pipeline.stopping import Stop


class Poisoned(job.Segmenting):
    def __call__(self, batch):
        if any(item.name == "0/p03" for item in batch.items):
            os._exit(1)
        return super().__call__(batch)


job.Segmenting = Poisoned
model, photos, out = sys.argv[1:]
request = job.ArchiveRequest(Path(model), (photos,), Path(out), actors=1)
done = job.archive(request, stop=Stop())
print(done.done, done.deaths >= 4, sorted(each.name for each in done.unread))
"""


@pytest.mark.long
def test_a_picture_that_kills_whoever_reads_it_is_given_up(
    golden_model, photos, tmp_path
):
    script = tmp_path / "poisoned.py"
    script.write_text(POISON)
    done = subprocess.run(
        [sys.executable, script, golden_model, photos, tmp_path / "out"],
        capture_output=True,
        text=True,
    )
    assert done.stdout == "25 True ['0/p03', '1/bad', '2/cut', 'bad']\n", done.stderr
    assert len(rows_of(tmp_path / "out")) == 25
    reasons = (tmp_path / "out" / "unread.jsonl").read_text().splitlines()
    assert "3 processes that read it died" in reasons[0]


@pytest.mark.long
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_told_to_stop_keeps_what_is_done(
    golden_model, clip, tmp_path, signum
):
    out, before = tmp_path / "out", leftovers()
    command = [sys.executable, "-m", "edgeseg", "archive", str(golden_model), str(clip)]
    command += ["-o", str(out), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        while not list(out.glob("masks/*.png")) and running.poll() is None:
            time.sleep(0.02)
        running.send_signal(signum)
        text, _ = running.communicate()
    assert running.returncode == 128 + signum
    done = json.loads(text)["done"]
    assert done == len(rows_of(out)) > 0
    again = edgeseg(*command[3:])
    assert json.loads(again.stdout)["done_before"] == done
    assert [row["frame"] for row in rows_of(out)] == list(range(300))
    assert leftovers() <= before
