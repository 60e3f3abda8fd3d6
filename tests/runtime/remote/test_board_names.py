"""The board's program takes names for names only, and its answers have an end."""

from __future__ import annotations

import io
import json

import pytest

from edgeseg.runtime.remote.board import (
    environment,
    following,
    messages,
    processes,
    serving,
    store,
)
from edgeseg.runtime.remote.board import (
    processes as results,
)

# the folder of the test takes the place of {}: where a check is missing, files inside
# it are all that is written to
BAD = ["", ".", "..", "../x", "a/b", "{}/x", ".hidden", "a\0b"]


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


def make(key):
    environment.make(print, key, "python3", True, "x", None, {})


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize(
    "act",
    [
        lambda name: store.offsets([[name, 1]]),
        lambda name: store.put(io.BytesIO(b"x"), name, 0, 1),
        lambda name: store.commit([[name, 1]]),
        lambda name: store.make_tree(name, []),
        lambda name: store.make_tree("tree", [["file", name]]),
        lambda name: processes.run_folder(name),
        lambda name: make(name),
    ],
    ids=["offsets", "put", "commit", "tree", "blob", "run", "make"],
)
def test_a_name_is_below_its_folder(tmp_path, act, name):
    (tmp_path / "x").write_text("untouched")
    with pytest.raises(store.BoardError, match="not a name"):
        act(name.format(tmp_path))
    assert (tmp_path / "x").read_text() == "untouched"


@pytest.mark.parametrize(
    "path", ["", "{}/x", "../x", "a/../x", "a//x", "./x", "a/", "\0"]
)
def test_a_path_is_inside_its_folder(tmp_path, path):
    with pytest.raises(store.BoardError, match="not a path inside a folder"):
        store.make_tree("tree", [[path.format(tmp_path), "0" * 64]])


@pytest.mark.parametrize("name", ["../run.json", "exit.json", "work/x"])
def test_only_what_a_run_prints_is_followed(name):
    with pytest.raises(store.BoardError, match="not what a run prints to"):
        following.follow(io.BytesIO(), "run", {name: 0})


def test_a_link_is_no_result_of_a_run(tmp_path):
    folder = tmp_path / "data/edgeseg/remote/runs/run/work"
    folder.mkdir(parents=True)
    (folder / "a.png").write_text("a")
    (tmp_path / "secret").write_text("secret")
    (folder / "link.png").symlink_to(tmp_path / "secret")
    assert [name for name, _, _ in results.listing("run")] == ["a.png"]


def test_the_end_of_a_long_log_fits_into_a_message(tmp_path):
    folder = tmp_path / "data/edgeseg/remote/runs/run"
    folder.mkdir(parents=True)
    for name in ("out", "err", "log"):
        (folder / name).write_bytes(b"\xff\n" * 10**6)
    text, sizes = following.tail("run", 100_000)
    assert text.count("\n") == 100_000
    assert sizes["log"] == 2 * 10**6
    for name in ("out", "err", "log"):
        (folder / name).write_bytes(b"\xff" * 10**7)
    text, _ = following.tail("run", 100_000)
    assert len(text) > 10**6
    assert len(messages.packed({"text": text})) < messages.LONGEST


def test_an_answer_that_is_too_long_is_an_error(monkeypatch):
    long = {"files": [["x" * 1000, 1, "0" * 64]] * 20_000}
    monkeypatch.setattr(serving.BoardServer, "do_results", lambda self, request: long)
    replies = io.BytesIO()
    serving.BoardServer(io.BytesIO(b'{"op": "results"}\n'), replies).serve()
    answer = json.loads(replies.getvalue().removeprefix(messages.GREETING))
    assert "copy its folder with scp" in answer["error"]
