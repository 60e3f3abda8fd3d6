"""Answer requests on standard input with the times of a loop, line by line, in JSON.

Started with the loop's module and its settings. The first answer gives the versions
and how long opening took; then each request ``{"picture": FILE.npy, "warm": N,
"repeat": N, "ids": FILE.npy or null}`` is answered with ``{"runs": [{"preprocess":
MS, "invoke": MS, "postprocess": MS}, ...]}``. What goes wrong is ``{"error": LINE}``.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from importlib.metadata import version
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from .plain import Loop, Settings, Times

_HALF = 120  # characters of each end of a long message


def main(module: str, settings: Settings) -> None:
    """Open a loop and serve until standard input ends."""
    answers = _own_output()
    try:
        start = time.perf_counter()
        loop = importlib.import_module(f".{module}", __package__).open_loop(settings)
        opened_ms = 1000 * (time.perf_counter() - start)
    # whatever a foreign package raises is its result, given in one line
    except Exception as error:
        _send(answers, {"error": _line(error)})
        return
    versions = {name: version(name) for name in settings["packages"]}
    _send(answers, {"versions": versions, "open_ms": opened_ms})
    for line in sys.stdin:
        try:
            _send(answers, {"runs": _serve(loop, json.loads(line))})
        except Exception as error:
            _send(answers, {"error": _line(error)})


def _serve(loop: Loop, request: Settings) -> list[Times]:
    import numpy as np

    frame = np.load(request["picture"])
    for _ in range(request["warm"]):
        loop(frame)
    runs = []
    for _ in range(request["repeat"]):
        ids, times = loop(frame)
        runs.append(times)
    if request["ids"]:
        np.save(request["ids"], np.asarray(ids, np.uint8))
    return runs


def _own_output() -> TextIO:
    """Keep standard output for answers: what libraries print goes to the log."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _send(answers: TextIO, answer: dict[str, object]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def _line(error: Exception) -> str:
    words = " ".join(str(error).split())
    if len(words) > 2 * _HALF:  # what happened stands at either end
        words = f"{words[:_HALF]} ... {words[-_HALF:]}"
    return f"{type(error).__name__}: {words}"
