"""What every peer must say, and that its worker keeps the protocol where it can run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeseg.benchmarks.studies.peers.environments import interpreter_of, is_ready
from edgeseg.benchmarks.studies.peers.peers import PEERS
from edgeseg.benchmarks.studies.peers.worker import PeerProcess
from edgeseg.runtime.sources.synthetic import SyntheticSource

CACHE = Path(os.environ.get("EDGESEG_PEERS", "~/.cache/edgeseg-peers")).expanduser()
PINNED = re.compile(r"[a-z0-9-]+==[0-9][0-9.]*")


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "picture.npy"
    frame, _ = SyntheticSource("160x120,still,seed=2").scene(0)
    np.save(path, frame)
    return path


@pytest.mark.parametrize("name", PEERS)
def test_every_requirement_is_pinned(name):
    peer = PEERS[name]
    needed = [
        *peer.requirements,
        *(r for step in peer.steps for r in step.requirements),
    ]
    assert needed
    assert [one for one in needed if not PINNED.fullmatch(one)] == []


@pytest.mark.parametrize("name", PEERS)
def test_every_peer_tells_the_versions_of_what_it_needs(name):
    peer = PEERS[name]
    required = {one.split("==")[0] for one in peer.requirements}
    assert peer.packages
    assert set(peer.packages) <= required


@pytest.mark.parametrize("name", PEERS)
def test_workers_of_peers_exist_and_know_nothing_of_edgeseg(name, root):
    peer = PEERS[name]
    folder = root / "benchmarks" / "studies" / "peers" / "_workers"
    for module in (peer.worker, *(step.worker for step in peer.steps)):
        source = (folder / f"{module}.py").read_text("utf-8")
        assert "import edgeseg" not in source
        assert "from edgeseg" not in source


@pytest.mark.parametrize("name", ["litert_plain", "tflite_runtime_plain"])
def test_a_plain_loop_agrees_with_edgeseg(name, golden_model, picture, tmp_path):
    peer = PEERS[name]
    python = interpreter_of(CACHE, peer.requirements, peer.python)
    if not is_ready(python):
        pytest.skip(f"the environment of {name} was not made: run the benchmark once")
    settings = {"model": str(golden_model), "threads": 1, "packages": peer.packages}
    ids, own = tmp_path / "ids.npy", tmp_path / "own.npy"
    with PeerProcess(
        python, peer.worker, settings | peer.settings, tmp_path / "log"
    ) as it:
        runs = it.times(picture, warm=0, repeat=2, ids=ids)
        assert set(it.versions) == set(peer.packages)
    ours = {"model": str(golden_model), "threads": 1, "packages": ["edgeseg"]}
    with PeerProcess(
        Path(sys.executable), "edgeseg_loop", ours, tmp_path / "log"
    ) as it:
        assert len(it.times(picture, warm=0, repeat=1, ids=own)) == 1
    assert len(runs) == 2
    assert all(set(run) == {"preprocess", "invoke", "postprocess"} for run in runs)
    # borders move where one aligns pixel centres and the other corners
    assert (np.load(ids) == np.load(own)).mean() > 0.95


def test_help_needs_no_environment():
    command = [sys.executable, "-m", "edgeseg.benchmarks.studies.peers", "--help"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert all(name in told for name in PEERS)
