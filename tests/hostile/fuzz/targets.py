"""What the coverage-guided fuzzers meet: one function a reader, with good inputs.

Each takes bytes and returns, or raises one of edgeseg's errors; anything else that it
raises is a finding. What must hold of a result is asserted here.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from http.client import HTTPResponse
from pathlib import Path
from random import Random
from typing import Any

from hostile.damage import damage
from hostile.flatbuffers import mutations
from hostile.json_values import hostile_json
from hostile.kinds.boards import HONEST
from hostile.seeds import FLAT, model, seed
from hostile_board import GREETING, RUN

from edgeseg.runtime.capture import jpeg
from edgeseg.runtime.capture.http import HttpConnection
from edgeseg.runtime.capture.multipart import PartReader
from edgeseg.runtime.model.embedded import stored_labels, stored_manifest
from edgeseg.runtime.model.inspection import read_graph
from edgeseg.runtime.model.manifest import Manifest
from edgeseg.runtime.remote import link as board_link
from edgeseg.runtime.remote.address import BoardAddress
from edgeseg.runtime.remote.channel import Channel
from edgeseg.runtime.remote.landing import RunOutput, arrivals

# bytes of JSON that are changed by their structure: what grew on the way gets slow
_LONGEST_JSON = 1 << 12
_MOST_PIXELS = 1 << 16  # of a picture that is decoded: the decoder is another's code


@dataclass(frozen=True)
class Target:
    """A reader to be met.

    Parameters
    ----------
    meet : callable
        Gets an input.
    good : callable
        Returns the inputs to start from.
    mutate : callable or None
        Changes an input by its structure; gets it and random numbers.
    longest : int
        Bytes of an input.
    """

    meet: Callable[[bytes], None]
    good: Callable[[], list[bytes]]
    mutate: Callable[[bytes, Random], bytes] | None
    longest: int = 1 << 16


@cache
def _folder() -> Path:
    memory = Path("/dev/shm")
    where = memory if os.access(memory, os.W_OK) else None
    return Path(tempfile.mkdtemp(prefix="edgeseg-fuzz-", dir=where))


def _stored(data: bytes, name: str) -> Path:
    path = _folder() / name
    path.write_bytes(data)
    return path


def _model(data: bytes) -> None:
    read_graph(_stored(data, "model.tflite"))


def _damaged_model(data: bytes, rng: Random) -> bytes:
    # by the schema only what is whole: a damaged file's vectors have any length
    if rng.random() < 0.5:
        return next(iter(mutations(seed(FLAT), rng.getrandbits(32), 1)))[1]
    return damage(data, rng, (seed(FLAT),))


# the first byte says how a manifest comes: beside the model, in its archive, as the
# archive's bytes, or as a label list of another program
def _manifest(data: bytes) -> None:
    how, data = data[:1], data[1:]
    if how == b"b":
        path = _stored(b"", "model.tflite")
        _stored(data, "model.tflite.json")
        found = stored_manifest(path)
    else:
        (_folder() / "model.tflite.json").unlink(missing_ok=True)
        name = {b"i": "edgeseg.json", b"l": "labels.txt"}.get(how)
        path = _stored(data if name is None else _packed(name, data), "model.tflite")
        if how == b"l":
            labels = stored_labels(path)
            assert all(isinstance(label, str) for label in labels)
        found = stored_manifest(path)
    if found is not None:
        text = found.to_json()
        assert Manifest.from_json(text).to_json() == text


def _packed(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def _good_manifests() -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(model())) as archive:
        text = archive.read("edgeseg.json")
    archive = _packed("edgeseg.json", text)
    return [
        b"b" + text,
        b"i" + text,
        b"a" + archive,
        b"lcat\ndog\n",
        b"l0 cat\n1 dog\n",
    ]


def _damaged_manifest(data: bytes, rng: Random) -> bytes:
    how, data = data[:1], data[1:]
    try:
        return how + _hostile_json(data, rng)
    except (ValueError, RecursionError):
        return how + damage(data, rng)


def _hostile_json(text: bytes, rng: Random) -> bytes:
    if len(text) > _LONGEST_JSON:
        raise ValueError("too long")
    return hostile_json(json.loads(text), rng)


class _Answer(io.BytesIO):
    """An HTTP answer in the place of a socket; it comes in pieces."""

    def makefile(self, *args: Any, **options: Any) -> io.BytesIO:
        return self


def _multipart(data: bytes) -> None:
    step = 1 << (data[0] % 17 if data else 16)
    response = HTTPResponse(_Answer(data[1:]))  # type: ignore[arg-type]
    connection = HttpConnection("http://camera/video")
    with connection._errors_in_one_line():
        response.begin()
    boundary = connection._boundary(response.headers)
    given = 0

    def receive(count: int) -> bytes:
        nonlocal given
        with connection._errors_in_one_line():
            piece = response.read1(min(count, step))
        given += len(piece)
        return piece

    for part in PartReader(receive, boundary).parts():
        assert 0 < len(part) <= given
        start = part.find(jpeg.START)
        if start < 0:
            continue
        size = jpeg.size_of(part[start:])
        at, _ = jpeg.walk(part[start:])
        assert at >= 0
        if size is not None and 0 < size[0] * size[1] <= _MOST_PIXELS:
            jpeg.decode(part[start:])


def _good_streams() -> list[bytes]:
    from hostile.good_files import encoded

    picture = encoded("JPEG")
    kind = b"Content-Type: multipart/x-mixed-replace"
    length = b"Content-Length: %d" % len(picture)
    part = b"--frame\r\nContent-Type: image/jpeg\r\n"
    ok = b"HTTP/1.0 200 OK\r\n" + kind
    return [
        b"\x10" + ok + b"; boundary=frame\r\n\r\n"
        + (part + length + b"\r\n\r\n" + picture + b"\r\n") * 2,
        b"\x05" + ok + b'; boundary="--frame"\r\n\r\n'
        + (part + b"\r\n" + picture + b"\r\n") * 2 + b"--frame--\r\n",
        b"\x08" + ok + b"\r\n\r\n" + picture * 2,
        b"\x03HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + kind
        + b"; boundary=frame\r\n\r\n%x\r\n" % len(part + b"\r\n" + picture)
        + part + b"\r\n" + picture + b"\r\n0\r\n\r\n",
        b"\x10HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
    ]  # fmt: skip


def _damaged_stream(data: bytes, rng: Random) -> bytes:
    lines = data.split(b"\r\n")
    line = rng.randrange(min(len(lines), 12))
    draw = rng.random()
    if draw < 0.3:
        lines[line] = damage(lines[line], rng)
    elif draw < 0.5:
        lines.insert(line, rng.choice(lines))
    elif draw < 0.7:
        size = rng.choice((0, 1, 99, 1 << 24, (1 << 24) + 1, 10**12 - 1, 10**12, -1))
        lines[line] = b"Content-Length: %d" % size
    else:
        return damage(data, rng)
    return b"\r\n".join(lines)


class _Ended:
    """A process that has ended, in the place of ``ssh``."""

    stdin = stdout = stderr = None

    def wait(self, timeout: float | None = None) -> int:
        return 255


class _Said(Channel):
    """A channel whose other end has said all that it says, and takes everything."""

    said = b""

    def __init__(self, call: list[str], host: str) -> None:
        self._host = host
        self._process = _Ended()  # type: ignore[assignment]
        self._to = os.open(os.devnull, os.O_WRONLY)
        self._from = os.open(_stored(self.said, "said"), os.O_RDONLY)
        self._errors = os.open(os.devnull, os.O_RDONLY)
        self._come, self._said, self._said_last = bytearray(), bytearray(), b""
        self._silent = True

    def close(self) -> None:
        for number in (self._to, self._from, self._errors):
            os.close(number)


_SHA = "0" * 64
_ASKED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("facts", {}),
    ("python", {"oldest": (3, 9), "newest": (3, 13)}),
    ("state", {"blobs": [(_SHA, 10)]}),
    ("commit", {"blobs": [(_SHA, 10)]}),
    ("tree", {}),
    ("find", {}),
    ("make", {}),
    ("start", {}),
    ("follow", {"run": RUN, "offsets": {"out": 0, "err": 0}}),
    ("runs", {}),
    ("tail", {}),
    ("results", {}),
)


def _board(data: bytes) -> None:
    _Said.said = data
    board_link.Channel = _Said  # type: ignore[misc]
    link = board_link.Link(BoardAddress("board"), None, lambda line: None)
    try:
        for op, values in _ASKED:
            answer = link.ask(op, **values)
            if op == "follow":
                _follow(link, values)
        _fetch(link, answer["files"])
    finally:
        link.close()


def _follow(link: board_link.Link, values: dict[str, Any]) -> None:
    while "file" in (piece := link.receive("piece", "end", request=values)):
        assert len(link.read(piece["payload"])) == piece["payload"]


def _fetch(link: board_link.Link, files: list[Any]) -> None:
    folder = Path("/nowhere/out")
    wanted = [RunOutput("out", folder, (".png",)), RunOutput("a.json", folder / "a")]
    for arrival in arrivals(wanted, files):
        target = os.path.normpath(arrival.target())
        assert target == str(arrival.target())
        assert target.startswith("/nowhere/out/")
        link.read(min(link.ask("get")["payload"], 1 << 20))


def _good_boards() -> list[bytes]:
    piece = json.dumps({"file": "out", "payload": 3}).encode() + b"\nabc"
    lines = [json.dumps(HONEST[op]).encode() + b"\n" for op, _ in _ASKED]
    lines[9:9] = [piece, json.dumps(HONEST["end"]).encode() + b"\n"]
    lines += [b'{"payload": 1}\nx', b'{"payload": 1}\ny']
    lines.insert(3, b'{"note": "working"}\n')
    greeting = GREETING.encode()
    return [b"".join((greeting, *lines)), b'hello\n%s{"error": "no"}\n' % greeting]


def _damaged_board(data: bytes, rng: Random) -> bytes:
    lines = data.split(b"\n")
    line = rng.randrange(len(lines))
    try:
        lines[line] = _hostile_json(lines[line], rng).replace(b"\n", b" ")
    except (ValueError, RecursionError):
        lines[line] = damage(lines[line], rng)
    return b"\n".join(lines)


TARGETS = {
    "model": Target(
        _model,
        lambda: [seed(FLAT)],
        _damaged_model,
    ),
    "manifest": Target(
        _manifest,
        _good_manifests,
        _damaged_manifest,
    ),
    "multipart": Target(
        _multipart,
        _good_streams,
        _damaged_stream,
    ),
    "board": Target(
        _board,
        _good_boards,
        _damaged_board,
    ),
}
