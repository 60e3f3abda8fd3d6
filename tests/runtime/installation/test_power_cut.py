"""The power may go at any moment: a board is on the old or on the new model, never on
none, and the next command brings order."""

from __future__ import annotations

import shlex
import shutil
import sys
import warnings

import pytest
from power_cut import cut_at

from edgeseg.runtime.installation.journal import is_unfinished, read_steps
from edgeseg.runtime.installation.store import find_installed
from edgeseg.runtime.model.embedded import sha256

MOST = 400  # moments; a test that comes so far counts something else


@pytest.fixture
def started(tmp_path):
    """What a service has seen at each start, and the command that starts it."""
    log = tmp_path / "started"
    log.touch()
    script = tmp_path / "start.py"
    script.write_text(
        "import os, sys\n"
        "key = os.path.basename(os.readlink(sys.argv[1]))\n"
        "open(sys.argv[2], 'a').write(key + '\\n')\n"
    )

    def command(board):
        words = [sys.executable, "-S", script, board.door.link, log]
        return shlex.join(map(str, words))

    return log, command


@pytest.fixture
def installed(board, variants):
    assert board.install(variants["first"]).exit_code == 0
    return board


def check_usable(board, variants, names):
    """Check that a run finds a whole model, without anybody having brought order."""
    found = find_installed("door")
    assert found is not None
    assert sha256(found) in {sha256(variants[name]) for name in names}
    key = board.door.in_use()
    assert key is not None
    assert sha256(board.door.file(key)) == key
    assert find_installed(board.door.link / "door.tflite") == found
    return sha256(found)


def check_order(board):
    """Check that the next command leaves nothing that is half done."""
    assert board.call("list").exit_code == 0
    steps = read_steps(board.door.journal)
    assert not is_unfinished(steps[-1])
    used = board.in_use()
    board.call("rollback", "--to", "nothing")  # changes nothing, and cleans
    assert board.left_behind() == []
    assert {sha256(board.door.file(key)) for key in board.door.present()} == set(
        board.door.present()
    )
    assert len(list(board.door.versions.iterdir())) == len(board.door.present())
    assert board.in_use() == used
    return used


def moments(board, action, *, loses, least=12):
    """Cut the power at every moment of an action; yields after each cut."""
    kept = board.store.with_name("kept")
    shutil.copytree(board.store, kept, symlinks=True)
    for moment in range(1, MOST):
        shutil.rmtree(board.store)
        shutil.copytree(kept, board.store, symlinks=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # a fork with threads
            was_cut = cut_at(moment, board.store, action, loses=loses)
        if not was_cut:
            assert moment > least
            return
        yield moment
    raise AssertionError("it does not end")


@pytest.mark.long
@pytest.mark.parametrize("loses", [False, True], ids=["kill", "power cut"])
def test_an_update(installed, variants, started, loses, capfd):
    log, command = started
    words = ["--restart", command(installed), "--watch", "0", "--slower", "9"]

    def update():
        return installed.install(variants["second"], *words).exit_code

    found = []
    for moment in moments(installed, update, loses=loses):
        usable = check_usable(installed, variants, ["first", "second"])
        used = check_order(installed)
        assert used == usable  # a run that began before the order goes on with it
        seen = log.read_text().split()
        assert not seen or seen[-1] == used
        log.write_text("")
        found.append(used)
        if moment % 5 == 0:
            assert installed.install(variants["second"], *words).exit_code == 0
            assert installed.in_use() == sha256(variants["second"])
            log.write_text("")
    print(f"{len(found)} moments; cut at: {capfd.readouterr().err}")
    # that it was kept is on the disk with the last of all moments
    reached = ["first"] if loses else ["first", "second"]
    assert set(found) == {sha256(variants[name]) for name in reached}


@pytest.mark.parametrize("loses", [False, True], ids=["kill", "power cut"])
def test_going_back(installed, variants, loses):
    assert installed.install(variants["second"]).exit_code == 0

    def back():
        return installed.call("rollback").exit_code

    for _ in moments(installed, back, loses=loses, least=8):
        usable = check_usable(installed, variants, ["first", "second"])
        assert check_order(installed) == usable
    assert installed.in_use() == sha256(variants["first"])


@pytest.mark.parametrize("loses", [False, True], ids=["kill", "power cut"])
def test_the_first_installation(board, variants, loses):
    """There is no model before: it is there, whole, or not at all."""
    board.store.mkdir()

    def first():
        return board.install(variants["first"]).exit_code

    for _ in moments(board, first, loses=loses):
        found = find_installed("door")
        assert found is None or sha256(found) == sha256(variants["first"])
        assert board.call("list").exit_code == 0
        assert board.install(variants["first"]).exit_code == 0
        assert check_order(board) == sha256(variants["first"])


@pytest.mark.long
def test_an_update_that_falls_short(installed, variants, started):
    """Also while it goes back, the model is there."""
    _, command = started
    words = ["--restart", command(installed), "--health", "false", "--watch", "0.01"]

    def update():
        result = installed.install(variants["second"], *words, "--slower", "9")
        return 0 if result.exit_code == 1 else 2

    for _ in moments(installed, update, loses=True):
        check_usable(installed, variants, ["first", "second"])
        assert check_order(installed) in {
            sha256(variants[name]) for name in ("first", "second")
        }
    assert installed.in_use() == sha256(variants["first"])
