"""From a peer's description to its running worker, and what the record says of it."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeseg.benchmarks.peers._environments import make_environment
from edgeseg.benchmarks.peers._models import label_set, make_calibration, make_model
from edgeseg.benchmarks.peers._steps import run_step
from edgeseg.benchmarks.peers._worker import Worker
from edgeseg.runtime.modelfile import sha256

if TYPE_CHECKING:
    from edgeseg.benchmarks.peers._peer import Peer

THREADS = 2


@dataclass(frozen=True)
class Opened:
    """A worker that is ready.

    Parameters
    ----------
    worker : Worker
        Open.
    reference : str
        The network that edgeseg runs beside it.
    about : dict of str to JSON value
        For the record: what runs, versions, threads, hash of its model.
    """

    worker: Worker
    reference: str
    about: dict[str, Any]


def open_peer(name: str, peer: Peer, shared: Path, cache: Path) -> Opened:
    """Make a peer's environment and model where missing, and start it.

    Parameters
    ----------
    name : str
        The plugin's.
    peer : Peer
        Its description.
    shared, cache : Path
        See `make_model`.

    Raises
    ------
    EdgesegError
        A part of it is not to be had; the message says why in one line.
    """
    python = make_environment(cache, peer.requirements, peer.python)
    model = make_model(peer.model, shared, cache)
    for step in peer.steps:
        model = run_step(step, model, make_calibration(shared, cache), cache)
    settings = {
        **peer.settings,
        "model": str(model),
        "threads": THREADS,
        "packages": list(peer.packages),
    }
    worker = Worker(python, peer.worker, settings, cache / "logs" / f"{name}.txt")
    about = {
        "about": peer.about,
        "threads": peer.threads,
        "starts_from": peer.model,
        "model_sha256": content_hash(model),
        "python": peer.python,
        "versions": worker.versions,
        "open_ms": round(worker.open_ms, 1),
    }
    return Opened(worker, peer.reference, about)


def open_edgeseg(model: str, shared: Path, cache: Path) -> Opened:
    """Start edgeseg itself on a network, in a process like a peer's.

    Parameters are those of `make_model`.
    """
    path = make_model(model, shared, cache)
    packages = ["edgeseg", "ai-edge-litert", "numpy", "opencv-python-headless"]
    settings = {
        "model": str(path),
        "threads": THREADS,
        "labels": label_set(model),
        "packages": packages,
    }
    log = cache / "logs" / f"edgeseg-{model}.txt"
    worker = Worker(Path(sys.executable), "edgeseg_loop", settings, log)
    about = {
        "about": f"edgeseg, {model}",
        "threads": "Segmenter.open(threads=2)",
        "model_sha256": content_hash(path),
        "versions": worker.versions,
        "open_ms": round(worker.open_ms, 1),
    }
    return Opened(worker, model, about)


def content_hash(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's names and files in order.

    Parameters
    ----------
    path : Path
        OpenVINO's ``.xml`` stands for its folder: the weights are beside it.
    """
    if path.is_file() and path.suffix != ".xml":
        return sha256(path)
    folder = path.parent if path.is_file() else path
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            digest.update(file.relative_to(folder).as_posix().encode() + b"\0")
            digest.update(sha256(file).encode())
    return digest.hexdigest()
