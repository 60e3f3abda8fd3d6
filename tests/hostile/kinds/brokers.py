"""What an MQTT broker answers."""

from __future__ import annotations

import functools
import random
import socket
from typing import TYPE_CHECKING

from hostile.case import MODEL, Case, Kind
from hostile.damage import damage
from hostile.good_files import put_model
from hostile.servers import server

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

_CONNACK = b"\x20\x02\x00\x00"
_PACKETS = (
    _CONNACK,
    b"\x20\x02\x00\x05",
    b"\x20\x02\x01\xff",
    b"\x20\x00",
    b"\x40\x02\x00\x01",  # PUBACK
    b"\x40\x02\xff\xff",
    b"\x90\x03\x00\x01\x80",  # SUBACK
    b"\xd0\x00",  # PINGRESP
    b"\xe0\x00",  # DISCONNECT
    b"\x30\x05\x00\x01a\x1b[",  # PUBLISH
    b"\x30\xff\xff\xff\x7f",  # the longest length there is
    b"\x30\x80\x80\x80\x80\x80\x01",
    b"\x32\x02\xff\xff",
    b"\xf0\x00",
    b"\x00" * 10,
)


def _make(folder: Path, rng: Random, number: int) -> Case:
    put_model(folder)
    answer = functools.partial(_answer, rng.getrandbits(64))
    words = ("run", MODEL, "synthetic:32x24,live,fps=20", "-o", "mqtt://127.0.0.1:{}/a")
    return Case(
        (*words, "--seconds", "1"),
        attendant=functools.partial(server, answer),
    )


def _answer(seed: int, connection: socket.socket, count: int) -> None:
    rng = random.Random(f"{seed}/{count}")
    connection.recv(65536)
    if rng.random() < 0.7:
        connection.sendall(_CONNACK)
    for _ in range(rng.choice((1, 3, 30))):
        packet = rng.choice(_PACKETS)
        connection.sendall(damage(packet, rng) if rng.random() < 0.6 else packet)
        if rng.random() < 0.5:
            connection.recv(65536)


KIND = Kind(_make, short=3, needs=("paho",))
