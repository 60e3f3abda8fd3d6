"""A peer's process: made from its description, it answers requests with times."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import select
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.benchmarks.studies.peers.environments import (
    make_environment,
    run_step,
    variables,
)
from edgeseg.benchmarks.studies.peers.models import (
    label_set,
    make_calibration,
    make_model,
)
from edgeseg.devices import ModelError
from edgeseg.devices.base import Closing
from edgeseg.devices.process_log import reason_in
from edgeseg.runtime.model.embedded import sha256

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeseg.benchmarks.studies.peers.peers import Peer
    from edgeseg.devices.types import Json


THREADS = 2
_HERE = Path(__file__).parent
_CODE = (
    "import sys, json; sys.path.append(sys.argv[1]); from _workers.serve import main; "
    "main(sys.argv[2], json.loads(sys.argv[3]))"
)
_OPEN_S = 300.0  # limit to import a framework and open a model
_ANSWER_S = 300.0  # limit of one request
_GRACE_S = 10.0  # to end after its input was closed


class PeerProcess(Closing):
    """A running worker.

    Parameters
    ----------
    python : Path
        The environment's interpreter.
    module : str
        Module of ``_workers``.
    settings : mapping
        JSON values for its ``open_loop``; ``packages`` names distributions.
    log : Path
        File for what it prints.

    Raises
    ------
    ModelError
        The peer refused the model, or died; the message is the peer's own.
    """

    def __init__(
        self, python: Path, module: str, settings: Mapping[str, object], log: Path
    ) -> None:
        self._log = log
        self._buffer = b""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [python, "-c", _CODE, _HERE, module, json.dumps(dict(settings))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                cwd=log.parent,
                env=variables(),
            )
        try:
            opened = self._answer(_OPEN_S)
        except BaseException:
            self.close()
            raise
        self.versions: dict[str, str] = opened["versions"]
        self.open_ms: float = opened["open_ms"]

    def times(
        self, picture: Path, *, warm: int, repeat: int, ids: Path | None = None
    ) -> list[dict[str, float]]:
        """Return the milliseconds of each stage, run by run.

        Parameters
        ----------
        picture : Path
            A ``.npy`` of ``(H, W, 3)`` uint8 RGB.
        warm : int
            Runs before those that are timed.
        repeat : int
            Runs that are timed.
        ids : Path or None
            Where to write the last run's class ids, as ``.npy``.

        Raises
        ------
        ModelError
            The peer failed, died, or did not answer within 300 s.
        """
        request = {
            "picture": str(picture),
            "warm": warm,
            "repeat": repeat,
            "ids": None if ids is None else str(ids),
        }
        assert self._process.stdin is not None
        if self._process.stdin.closed:
            raise ModelError("its process was closed")
        with contextlib.suppress(BrokenPipeError):  # reported below
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        runs: list[dict[str, float]] = self._answer(_ANSWER_S)["runs"]
        return runs

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _answer(self, limit_s: float) -> Json:
        answer: Json = json.loads(self._line(time.monotonic() + limit_s))
        if "error" in answer:
            raise ModelError(answer["error"])
        return answer

    def _line(self, deadline: float) -> bytes:
        assert self._process.stdout is not None
        handle = self._process.stdout.fileno()
        while b"\n" not in self._buffer:
            left = max(deadline - time.monotonic(), 0)
            if not select.select([handle], [], [], left)[0]:
                self._process.kill()
                raise ModelError("it did not answer in time and was ended")
            chunk = os.read(handle, 1 << 16)
            if not chunk:
                raise ModelError(f"its process ended{self._last_words()}")
            self._buffer += chunk
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line

    def _last_words(self) -> str:
        text = self._log.read_text("utf-8", "replace")
        reason = reason_in(text)
        return f": {reason}" if reason else ""


@dataclass(frozen=True)
class Opened:
    """A worker that is ready.

    Parameters
    ----------
    worker : PeerProcess
        Open.
    reference : str
        The network that edgeseg runs beside it.
    about : dict of str to JSON value
        For the record: what runs, versions, threads, hash of its model.
    """

    worker: PeerProcess
    reference: str
    about: Json


def open_peer(name: str, peer: Peer, shared: Path, cache: Path) -> Opened:
    """Make a peer's environment and model where missing, and start it.

    Parameters
    ----------
    name : str
        The peer's.
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
    worker = PeerProcess(python, peer.worker, settings, cache / "logs" / f"{name}.txt")
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
    worker = PeerProcess(Path(sys.executable), "edgeseg_loop", settings, log)
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
