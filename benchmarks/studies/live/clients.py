"""Clients of a soak: one that asks, ones that watch, one that never reads."""

from __future__ import annotations

import json
import selectors
import socket
import threading
import urllib.error
import urllib.request
from collections import Counter
from typing import TYPE_CHECKING

from edgeseg.devices.base import Closing

if TYPE_CHECKING:
    from edgeseg.devices.types import Json

_LIMIT_S = 5.0


def ask(port: int, path: str) -> bytes | None:
    """Return what a page answers, None where it does not."""
    url = f"http://127.0.0.1:{port}{path}"
    try:
        with urllib.request.urlopen(url, timeout=_LIMIT_S) as answer:
            content: bytes = answer.read()
    except (urllib.error.URLError, OSError):
        return None
    return content


def frames_of(port: int) -> int | None:
    """Return how many frames a run has finished, from its ``/metrics``."""
    for line in (ask(port, "/metrics") or b"").decode().splitlines():
        name, _, value = line.partition(" ")
        if name == "edgeseg_frames_total":
            return int(float(value))
    return None


def state_of(port: int) -> Json | None:
    """Return what ``/api/state`` answers, None where it does not answer."""
    content = ask(port, "/api/state")
    return None if content is None else dict(json.loads(content))


def connect(port: int) -> socket.socket:
    """Ask for the stream and return the connection, nothing read from it."""
    client = socket.create_connection(("127.0.0.1", port), timeout=_LIMIT_S)
    request = f"GET /stream.mjpg HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
    client.sendall(request.encode())
    return client


class Crowd(Closing):
    """Many clients that ask for the stream at once and read what they get.

    Parameters
    ----------
    port : int
        Of the page.
    size : int
        How many they are.
    """

    def __init__(self, port: int, size: int) -> None:
        self._clients = [connect(port) for _ in range(size)]
        self.statuses = Counter(_status(client) for client in self._clients)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with selectors.DefaultSelector() as ready:
            for index, client in enumerate(self._clients):
                ready.register(client, selectors.EVENT_READ, index)
            while not self._stopped.is_set():
                for key, _ in ready.select(0.2):
                    if not _some(self._clients[key.data]):
                        ready.unregister(key.fileobj)

    def close(self) -> None:
        """Let all go."""
        self._stopped.set()
        self._thread.join()
        for client in self._clients:
            client.close()


def _some(client: socket.socket) -> bool:
    try:
        return bool(client.recv(1 << 16))
    except OSError:
        return False


def _status(client: socket.socket) -> str:
    """Return the status code of an answer, or why there was none."""
    try:
        head = client.recv(12)
    except OSError as error:
        return type(error).__name__
    return head[9:12].decode("ascii", "replace") or "closed"
