"""MJPEG streams over HTTP: headers, boundaries, lengths and pictures."""

from __future__ import annotations

import functools
import random
import socket
import time
from typing import TYPE_CHECKING

from hostile.case import MODEL, Case, Kind
from hostile.damage import damage
from hostile.good_files import encoded, put_model
from hostile.servers import server

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

_MIXED = "Content-Type: multipart/x-mixed-replace"
_HEADERS = (
    f"HTTP/1.0 200 OK\r\n{_MIXED}; boundary=frame\r\n\r\n",
    f"HTTP/1.1 200 OK\r\n{_MIXED}\r\n\r\n",
    f'HTTP/1.1 200 OK\r\n{_MIXED}; boundary="--"\r\n\r\n',
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: "
    "multipart/x-mixed-replace; boundary=frame\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: -1\r\n\r\n",
    "HTTP/1.1 302 Found\r\nLocation: {0}\r\n\r\n",
    'HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm="x", nonce=\r\n\r\n',
    "HTTP/1.1 500 \x1b[2J\r\n\r\n",
    "HTTP/9.9 200\r\n\r\n",
    "ICY 200 OK\r\n\r\n",
)
_PLACES = ("file:///etc/passwd", "ftp://127.0.0.1/", "/", "http://", "//[", "\x1b[2J",
           "http://127.0.0.1:1/", "data:image/jpeg,x")  # fmt: skip
_ENDLESS = 3 << 20  # bytes of what has no end


def _make(folder: Path, rng: Random, number: int) -> Case:
    put_model(folder)
    answer = functools.partial(_answer, rng.getrandbits(64))
    words = ("run", MODEL, "http://127.0.0.1:{}/stream", "-o", "found.jsonl")
    flags = "--frames", "4", "--seconds", "1.5"
    return Case(
        (*words, *flags),
        ("found.jsonl",),
        attendant=functools.partial(server, answer),
        needed=False,
    )


def _answer(seed: int, connection: socket.socket, count: int) -> None:
    rng = random.Random(f"{seed}/{count}")
    connection.recv(65536)
    header = rng.choice((_HEADERS[0], _HEADERS[0], *_HEADERS))
    head = header.replace("{0}", rng.choice(_PLACES)).encode("latin-1")
    data = head + b"".join(_part(rng) for _ in range(rng.choice((1, 6, 30))))
    if rng.random() < 0.4:
        data = damage(data, rng)
    if rng.random() < 0.1:
        data = rng.choice((b"", b"\xff" * _ENDLESS, head + b"A" * _ENDLESS, data[:20]))
    connection.sendall(data)
    if rng.random() < 0.1:
        time.sleep(1)


def _part(rng: Random) -> bytes:
    jpeg = encoded("JPEG", seed=rng.randrange(3))
    if rng.random() < 0.4:
        jpeg = damage(jpeg, rng)
    length = rng.choice((len(jpeg), len(jpeg), len(jpeg), 0, 1, -1, 10**9, 10**30, "x"))
    lines = ["--frame", "Content-Type: image/jpeg"]
    if rng.random() < 0.7:
        lines.append(f"Content-Length: {length}")
    if rng.random() < 0.1:
        lines.append("X: " + "y" * rng.choice((10, 9000, 200_000)))
    return (
        "\r\n".join(lines).encode("utf-8", "surrogatepass")
        + b"\r\n\r\n"
        + jpeg
        + b"\r\n"
    )


KIND = Kind(_make, short=3)
