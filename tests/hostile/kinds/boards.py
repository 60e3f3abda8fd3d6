"""What a board answers over SSH: a program in the place of ``ssh`` plays it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hostile.case import MODEL, PICTURE, Case, Kind
from hostile.damage import damage
from hostile.good_files import put_model, put_picture
from hostile.json_values import hostile_json
from hostile.texts import OUTSIDE, hostile_text
from hostile_board import GREETING, RUN, HostileBoard, entry

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

_TOLD = {"run": RUN, "running": False, "folder": "/r", "exit": 0, "arguments": ["run"]}
_FACTS = {"machine": "aarch64", "glibc": "2.36", "home": "/h", "root": "/r",
          "python": [3, 11, 2]}  # fmt: skip
_PYTHON = {"path": "/p", "bits": 64, "venv": True, "version": [3, 11, 2], "markers": {}}
HONEST: dict[str, Any] = {
    "facts": _FACTS,
    "python": _PYTHON,
    "state": {"offsets": [0], "free": 10**12},
    "commit": {"damaged": []},
    "tree": {"path": "/t"},
    "find": {"python": "/p"},
    "make": {"python": "/p"},
    "start": {"run": RUN},
    "follow": {"following": RUN},
    "runs": {"runs": [{**_TOLD, "running": True}]},
    "tail": {"text": "line\n", "sizes": {"log": 1}},
    "end": _TOLD,
    "results": {"files": [entry("out/a.png"), entry("out/b.png")]},
    "get": {"payload": 1},
}
_NAMES = (
    OUTSIDE, f"out/../../{OUTSIDE}", "/tmp/edgeseg-outside", "out/../out/../x",
    "OUT/a.png", "out/a.png/../../../x", "out//a.png", "out/./a.png", "out/CON",
    "out/a\\..\\x", "out", "out/\u2025/a", "out/a.png\0", "model.tflite",
    ".ssh/authorized_keys", "out/link/x",
)  # fmt: skip


def _make(folder: Path, rng: Random, number: int) -> Case:
    put_model(folder)
    put_picture(folder)
    board = HostileBoard(folder)
    what, answers = _answers(rng)
    files = {name: "x" for name in ("out/a.png", "out/b.png")}
    greeting = [["say", GREETING]]
    if rng.random() < 0.15:
        said = damage(GREETING.encode("latin-1"), rng).decode("latin-1")
        greeting, what = [["say", said], ["exit", 0]], "greeting"
    board.play(greeting=greeting, files=files, **answers)
    wheel = ("--wheel", board.wheel.name)
    words = rng.choice(
        (
            ("run", MODEL, PICTURE, *wheel, "-o", "out/"),
            ("run", MODEL, PICTURE, *wheel, "-o", "out/"),
            ("deploy", MODEL, *wheel),
            ("logs",),
            ("stop",),
        )
    )
    # what a board sends as a picture is no picture: any content of these is right
    return Case(("@remote", "board", *words), name=what, talk=r".*", may=("out/",))


def _answers(rng: Random) -> tuple[str, dict[str, Any]]:
    op = rng.choice(sorted(HONEST))
    draw = rng.random()
    if op == "results" and draw < 0.6:
        name = rng.choice((*_NAMES, hostile_text(rng)[:3000]))
        files = [entry("out/a.png"), entry(name, size=rng.choice((None, 0, 1 << 60)))]
        return op, {op: [_say(json.dumps({"files": files}).encode())]}
    actions = [_say(hostile_json(HONEST[op], rng).replace(b"\n", b" "))]
    if draw < 0.1:
        actions.insert(
            0,
            [
                "complain",
                hostile_text(rng)[:9000]
                .encode("utf-8", "surrogatepass")
                .decode("latin-1")
                if draw < 0.05
                else "\x1b[2J\n" * 3000,
            ],
        )
    elif draw < 0.3:
        actions.append(["exit", rng.choice((0, 1, 255))])
    elif draw < 0.4:
        actions = [["exit", rng.choice((0, 1, 255))]]
    elif draw < 0.5:
        actions = [["say", rng.randbytes(300).decode("latin-1")], ["exit", 0]]
    return op, {op: actions}


def _say(data: bytes) -> list[str]:
    return ["say", data.decode("latin-1") + "\n"]


KIND = Kind(_make, share=1.5, short=8)
