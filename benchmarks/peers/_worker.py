"""A process in a peer's environment that answers requests with times."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeseg.benchmarks.peers._environments import variables
from edgeseg.devices import ModelError
from edgeseg.devices._closing import Closing
from edgeseg.devices._wording import reason_in

if TYPE_CHECKING:
    from collections.abc import Mapping

_HERE = Path(__file__).parent
_CODE = (
    "import sys, json; sys.path.append(sys.argv[1]); from _workers.serve import main; "
    "main(sys.argv[2], json.loads(sys.argv[3]))"
)
_OPEN_S = 300.0  # limit to import a framework and open a model
_ANSWER_S = 300.0  # limit of one request
_GRACE_S = 10.0  # to end after its input was closed


class Worker(Closing):
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
        self, python: Path, module: str, settings: Mapping[str, Any], log: Path
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
        with contextlib.suppress(BrokenPipeError):  # its death is told below
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

    def _answer(self, limit_s: float) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._line(time.monotonic() + limit_s))
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
