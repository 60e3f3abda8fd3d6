"""Models that differ in what an installation looks at, and a store of their own."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from model_server import ModelServer
from mqtt_broker import FLEET, PREFIX
from PIL import Image

from edgeseg.runtime.cli import main
from edgeseg.runtime.installation.store import InstalledModel
from edgeseg.runtime.model.embedded import append_manifest, stored_manifest


def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


@dataclass
class Board:
    """A store, and the command line that changes it."""

    store: Path
    pictures: Path

    @property
    def door(self):
        return InstalledModel(self.store / "door")

    def call(self, *words):
        return CliRunner().invoke(main, ["model", *map(str, words)])

    def install(self, model, *words, sha256=None):
        """Install a model as door, tried on small pictures."""
        given = ["--sha256", sha256 or digest(model), "--name", "door"]
        tried = ["--pictures", self.pictures, "--device", "desktop:cpu"]
        return self.call("install", model, *given, *tried, *words)

    def in_use(self):
        """Return the hash of the file that a run would open; it must be whole."""
        path = self.door.link.resolve(strict=True) / "door.tflite"
        found = digest(path)
        assert self.door.in_use() == found
        assert self.door.model() == path
        return found

    def left_behind(self):
        return [path for path in self.store.rglob(".model-*")]


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """Small pictures: what is timed should not take long."""
    folder = tmp_path_factory.mktemp("pictures")
    noise = np.random.default_rng(3)
    for number in range(2):
        small = noise.integers(0, 256, (6, 8, 3), np.uint8)
        picture = Image.fromarray(small).resize((64, 48), Image.Resampling.BILINEAR)
        picture.save(folder / f"{number}.png")
    return folder


@pytest.fixture
def board(tmp_path, pictures, monkeypatch):
    store = tmp_path / "models"
    monkeypatch.setenv("EDGESEG_MODELS", str(store))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Board(store, pictures)


@pytest.fixture(scope="session")
def variants(golden_model, tmp_path_factory):
    """Models by what they are."""
    folder = tmp_path_factory.mktemp("variants")
    content, manifest = golden_model.read_bytes(), stored_manifest(golden_model)
    others = ("background", "circle", "box", "wedge")
    made = {
        "first": append_manifest(content, manifest),
        # the same network in another file
        "second": append_manifest(content, manifest, {"note.txt": "second"}),
        "third": append_manifest(content, manifest, {"note.txt": "third"}),
        # it sees pictures that are far too bright
        "blinded": append_manifest(content, replace(manifest, mean=(0.0,) * 3)),
        "renamed": append_manifest(content, replace(manifest, labels=others)),
        "truncated": content[: len(content) // 2],
    }
    for name, data in made.items():
        (folder / f"{name}.tflite").write_bytes(data)
    return {name: folder / f"{name}.tflite" for name in made}


@pytest.fixture
def server(variants):
    """The variants by HTTP."""
    files = {f"/{path.name}": path.read_bytes() for path in variants.values()}
    with ModelServer(b"", files) as server:
        yield server


@pytest.fixture
def follow(board, variants, broker, tmp_path):
    """Return what starts the command; the first model is installed."""
    assert board.install(variants["first"], "--version", "1").exit_code == 0
    started = []

    def start(*words):
        address = f"mqtt://127.0.0.1:{broker.port}/{PREFIX}?update={FLEET}"
        call = [sys.executable, "-m", "edgeseg", "model", "follow", address]
        call += ["--name", "door", "--pictures", board.pictures, *words]
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen(list(map(str, call)), stderr=log)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
