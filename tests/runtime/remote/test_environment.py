"""Environments on the board, with and without an index."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from loopback_board import make_board, processes_of, wait_for, write_wheel

from edgeseg.runtime.remote import deploying as offline
from edgeseg.runtime.remote.address import RemoteError
from edgeseg.runtime.remote.copying import Blob
from edgeseg.runtime.remote.deploying import Wanted, deploy
from edgeseg.runtime.remote.packing import cache_folder

# what PEP 508 lets a requirement ask for
KEYS = (
    "implementation_name",
    "implementation_version",
    "os_name",
    "platform_machine",
    "platform_python_implementation",
    "platform_release",
    "platform_system",
    "platform_version",
    "python_full_version",
    "python_version",
    "sys_platform",
)
OLD = '[3, 7, 3], "path": "/usr/bin/python3", "bits": 64, "venv": true, "markers": {}'


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def index(tmp_path):
    """Skip where pip gets nothing from the index that is configured."""
    call = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "click>=8.1"]
    done = subprocess.run([*call, "-d", str(tmp_path / "index")], capture_output=True)
    if done.returncode:
        pytest.skip("needs a package index that pip reaches")


def version_in(python):
    code = "import edgeseg_marker as m; print(m.VERSION)"
    return subprocess.check_output([python, "-I", "-c", code], text=True).strip()


def test_a_wheel_is_deployed_once(fresh_board, tmp_path):
    wanted = Wanted(wheel=write_wheel(tmp_path))
    with fresh_board.session() as session:
        first = deploy(session, wanted)
        again = deploy(session, wanted)
        assert version_in(first.python) == "9.9"
        assert (first.was_there, again.was_there) == (False, True)
        assert again.python == first.python
        # one without the note that is written last is not whole
        asked = {
            "wheel": first.sha,
            "python": first.base,
            "extras": [],
            "system": False,
        }
        assert session.ask("find", **asked)["python"] == first.python
        (Path(first.python).parents[1] / "edgeseg.json").unlink()
        assert session.ask("find", **asked)["python"] is None


def test_a_connection_that_ends_in_the_installation_ends_that(fresh_board, tmp_path):
    """What is left of it is no environment, and the next deployment makes one."""
    from cutting_proxy import CuttingProxy

    wanted = Wanted(wheel=write_wheel(tmp_path))
    envs = fresh_board.root / "envs"
    with CuttingProxy(fresh_board.port) as proxy:
        session = fresh_board.session(port=proxy.port, delays_s=())
        made = []

        def cut(text):
            if text.startswith("making"):
                proxy.cut_all()
            made.append(text)

        session.report = cut
        with session, pytest.raises(RemoteError, match="call again"):
            deploy(session, wanted)
    wait_for(lambda: not processes_of(fresh_board.home))
    assert [path for path in envs.iterdir() if path.name[0] != "."] == []
    with fresh_board.session() as session:
        assert session.ask("find", wheel="", python="", extras=[], system=False) == {
            "python": None
        }


@pytest.mark.long
def test_offline_all_wheels_come_from_here(fresh_board, index, tmp_path):
    (fresh_board.home / ".config/pip").mkdir(parents=True)
    wheel = write_wheel(
        tmp_path, "9.11", requires=["click>=8.1", "tomli>=2; python_version < '3'"]
    )
    with fresh_board.session() as session:
        made = deploy(session, Wanted(wheel=wheel, offline=True))
    assert version_in(made.python) == "9.11"
    subprocess.run([made.python, "-I", "-c", "import click"], check=True)
    names = {path.name.split("-")[0] for path in fresh_board.root.glob("trees/*/*")}
    assert names == {"click", "edgeseg"}
    assert cache_folder().is_relative_to(tmp_path)


def test_markers_are_those_of_the_board(index, tmp_path):
    wheel = write_wheel(
        tmp_path,
        requires=["click>=8.1; python_version == '3.10'", "nothere; os_name=='x'"],
    )
    board = {"machine": "aarch64", "glibc": "2.35"}
    markers = dict.fromkeys(KEYS, "") | {"python_version": "3.10", "os_name": "posix"}
    wheels = offline.download(
        Blob.of(wheel), [], board, {"version": [3, 10, 4], "markers": markers}
    )
    assert any(name.startswith("click-") for name in wheels)


def test_what_cannot_be_fetched_is_named(tmp_path):
    wheel = write_wheel(tmp_path, requires=["edgeseg-is-not-called-so==1"])
    board = {"machine": "aarch64", "glibc": "2.35"}
    python = {"version": [3, 11, 2], "markers": {"python_version": "3.11"}}
    with pytest.raises(offline.EdgesegError, match="edgeseg-is-not-called-so"):
        offline.download(Blob.of(wheel), [], board, python)


def program(folder, name, text):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def told_by(folder, text):
    """Make a python3 that runs what it is given, but tells of itself what it is told.

    Only the probe's ``-I -c`` is answered.
    """
    real = Path(sys.base_prefix) / "bin" / "python3"
    program(
        folder,
        "python3",
        f'if [ "$1" = -I ]; then echo \'{text}\'; else exec {real} "$@"; fi',
    )


@pytest.fixture
def odd_board(tmp_path):
    """Return what makes a board whose PATH is one folder, with sh in it."""
    running = []

    def make():
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        (folder / "sh").symlink_to("/bin/sh")
        made, process = make_board(tmp_path, path=folder)
        running.append(process)
        return made

    yield make
    for process in running:
        process.terminate()
        process.wait()


def refused(board, tmp_path, **session):
    with board.session(**session) as opened, pytest.raises(RemoteError) as caught:
        deploy(opened, Wanted(wheel=write_wheel(tmp_path)))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_old_python_is_named_with_what_to_do(odd_board, tmp_path):
    told_by(tmp_path / "bin", f'{{"version": {OLD}}}')
    text = refused(odd_board(), tmp_path)
    assert "expected Python 3.10 to 3.14, but /usr/bin/python3 is 3.7.3" in text
    assert "uv python install" in text


def test_without_venv_the_package_is_named(odd_board, tmp_path):
    told = OLD.replace("[3, 7, 3]", "[3, 11, 2]").replace("true", "false")
    told_by(tmp_path / "bin", f'{{"version": {told}}}')
    assert "sudo apt install python3-venv" in refused(odd_board(), tmp_path)


def test_a_32_bit_userland_is_refused(odd_board, tmp_path):
    told = OLD.replace("[3, 7, 3]", "[3, 11, 2]").replace("64", "32")
    told_by(tmp_path / "bin", f'{{"version": {told}}}')
    assert "write a 64-bit image" in refused(odd_board(), tmp_path)


def test_without_python_the_package_is_named(odd_board, tmp_path):
    assert "has no python3: sudo apt install python3" in refused(odd_board(), tmp_path)


def test_a_python_that_is_not_there_is_named(board, tmp_path):
    assert "/no/python" in refused(board, tmp_path, python="/no/python")


def test_a_newer_python_in_the_home_is_found(odd_board, tmp_path):
    told_by(tmp_path / "bin", f'{{"version": {OLD}}}')
    made = odd_board()
    name = f"python3.{sys.version_info[1]}"
    local = made.home / ".local/bin" / name
    local.parent.mkdir(parents=True)
    local.symlink_to(Path(sys.base_prefix) / "bin" / name)
    with made.session() as session:
        found = session.ask("python", wanted=None, oldest=[3, 10], newest=[3, 14])
    assert found["version"] == list(sys.version_info[:3])


@pytest.mark.parametrize("name", ["old", "new"])
def test_a_wheel_that_is_none_is_refused(board, tmp_path, name):
    path = tmp_path / f"{name}.whl"
    path.write_text("no wheel")
    done = board.edgeseg("deploy", "--wheel", path)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: expected a wheel such as edgeseg-")


def test_the_boards_program_starts_on_python_3_6(root):
    folder = root / "runtime/remote/board"
    for path in folder.glob("*.py"):
        tree = ast.parse(path.read_text("utf-8"), feature_version=(3, 6))
        modules = [n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
        assert "__future__" not in modules, path.name


@pytest.mark.parametrize("minor", [6, 7, 8, 9])
def test_the_boards_program_runs_on_old_pythons(fresh_board, minor):
    """Where such Pythons are: EDGESEG_OLD_PYTHONS names a folder of them."""
    folder = Path(os.environ.get("EDGESEG_OLD_PYTHONS", "/nothing"))
    found = sorted(folder.glob(f"3.{minor}.*/bin/python3"))
    if not found:
        pytest.skip(f"needs Python 3.{minor} in a folder named by EDGESEG_OLD_PYTHONS")
    with fresh_board.session(python=str(found[0])) as session:
        assert session.ask("facts")["python"][:2] == [3, minor]
        with pytest.raises(RemoteError, match=r"expected Python 3\.10 to"):
            deploy(session, Wanted())
