"""Requests to the web page, from its own OpenAPI description, and damaged ones."""

from __future__ import annotations

import functools
import json
import random
import socket
import time
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from hostile.case import MODEL, Case, Kind
from hostile.damage import damage
from hostile.good_files import put_model
from hostile.json_values import hostile_json
from hostile.judge import Fault
from hostile.servers import client
from hostile.texts import hostile_text

from edgeseg.devices.plain_text import is_printable

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from hostile.servers import Attendant

REQUESTS = 40
_START_S = 20.0
_ANSWER_S = 5.0
_GOOD_LOOK = {
    "effect": "overlay",
    "alpha": 0.5,
    "classes": ["disc"],
    "contours": True,
    "legend": False,
    "statistics": False,
}
_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "x")
_HEADERS = (
    "Host", "Origin", "Cookie", "Authorization", "Range", "X", "Expect",
    "Transfer-Encoding", "Sec-Fetch-Site",
)  # fmt: skip
_KINDS = ("application/json", "text/plain", "", "application/json; charset=utf-7")


@cache
def _operations() -> tuple[tuple[str, str], ...]:
    """Return methods and paths of the description."""
    text = (resources.files("edgeseg.runtime.web") / "openapi.json").read_text("utf-8")
    paths = json.loads(text)["paths"]
    return tuple((m.upper(), path) for path, item in paths.items() for m in item)


def _make(folder: Path, rng: Random, number: int) -> Case:
    put_model(folder)
    talk = functools.partial(_talk, rng.getrandbits(64))
    words = ("run", MODEL, "synthetic:64x48,live,fps=10", "--web", "127.0.0.1:{}")
    return Case(
        (*words, "--seconds", "6"),
        attendant=functools.partial(client, talk),
    )


def _talk(seed: int, attendant: Attendant) -> None:
    """Send requests while the page is there; note what was wrong with answers."""
    rng, port = random.Random(seed), attendant.port
    until = time.monotonic() + _START_S
    while not _listens(port):
        if time.monotonic() > until:
            attendant.faults.append(Fault("web", "the page did not come up"))
            return
        time.sleep(0.05)
    faults: list[Fault] = []
    stop = time.monotonic() + 2.5  # the page is there for 6 s
    for _ in range(REQUESTS):
        if time.monotonic() > stop:
            break
        request = _request(rng, port)
        attendant.inputs += 1
        faults += _judged(request, _exchange(port, request))
    host = f"Host: 127.0.0.1:{port}\r\nConnection: close"
    good = f"GET /api/state HTTP/1.1\r\n{host}\r\n\r\n".encode()
    answer = _exchange(port, good, silence_s=3)
    if not answer.startswith(b"HTTP/1.1 200"):
        faults.append(Fault("web", f"afterwards a good request got {answer[:200]!r}"))
    attendant.faults += faults[:3]


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _exchange(port: int, request: bytes, silence_s: float = 0.3) -> bytes:
    """Return the beginning of an answer; empty where the server hangs up."""
    try:
        with socket.create_connection(("127.0.0.1", port), _ANSWER_S) as connection:
            connection.settimeout(silence_s)
            connection.sendall(request)
            answer = b""
            while len(answer) < 4096 and (more := connection.recv(4096)):
                answer += more
            return answer
    except OSError:
        return b""


def _judged(request: bytes, answer: bytes) -> list[Fault]:
    head, _, body = answer.partition(b"\r\n\r\n")
    words = head.split()
    if len(words) < 2:
        return []
    status = words[1].decode("latin-1")
    if status.startswith("5") and status != "503":
        return [Fault("web", f"{status} to {request[:300]!r}")]
    if status in ("422", "415", "403", "401") and b"application/json" in head:
        try:
            text = json.loads(body)["error"]
        except (ValueError, KeyError, TypeError):
            text = None
        if not isinstance(text, str) or not is_printable(text) or len(text) > 2000:
            return [Fault("web", f"{status} with {body[:200]!r} to {request[:300]!r}")]
    return []


def _request(rng: Random, port: int) -> bytes:
    method, path = rng.choice(
        (*_operations(), ("POST", "/api/look"), ("POST", "/api/look"))
    )
    draw = rng.random()
    if draw < 0.2:
        method = rng.choice(_METHODS)
    elif draw < 0.35:
        path += rng.choice(("?token=", "?", "/../..", "%00", "%ff", "//")) + _line(rng)
    body = b""
    headers = [f"Host: 127.0.0.1:{port}", "Connection: close"]
    if method not in ("GET", "HEAD"):
        body = hostile_json(_GOOD_LOOK, rng)[:200_000]
        length = rng.choice((len(body), len(body), len(body), 0, -1, 10**20, "x"))
        kind = rng.choice((_KINDS[0], _KINDS[0], _KINDS[0], *_KINDS))
        headers += [f"Content-Type: {kind}", f"Content-Length: {length}"]
    if rng.random() < 0.3:
        name = rng.choice(_HEADERS)
        headers.append(f"{name}: {_line(rng)}")
    text = f"{method} {path} HTTP/1.1\r\n" + "\r\n".join(headers) + "\r\n\r\n"
    request = text.encode("utf-8", "replace") + body
    return damage(request, rng) if rng.random() < 0.25 else request


def _line(rng: Random) -> str:
    return hostile_text(rng)[:70_000]


KIND = Kind(_make, short=2, needs=("uvicorn", "starlette"))
