from __future__ import annotations

import os

import pytest
from cutting_proxy import CuttingProxy
from hostile_board import HostileBoard
from loopback_board import make_board


@pytest.fixture(autouse=True, scope="package")
def _cache(tmp_path_factory):
    """Keep what is built and fetched here out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    made, process = make_board(tmp_path_factory.mktemp("board"))
    yield made
    process.terminate()
    process.wait()


@pytest.fixture
def fresh_board(tmp_path):
    made, process = make_board(tmp_path)
    yield made
    process.terminate()
    process.wait()


@pytest.fixture
def proxy(board):
    with CuttingProxy(board.port) as made:
        yield made


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    (tmp_path / "hostile").mkdir()
    made = HostileBoard(tmp_path / "hostile")
    monkeypatch.setenv("PATH", str(made.bin), prepend=os.pathsep)
    return made
