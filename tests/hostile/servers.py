"""Hostile servers and clients: threads of the harness, beside the command."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hostile.judge import Fault

_TICK_S = 0.1


class Attendant:
    """Stands in a command line as its port, and holds what it saw go wrong."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.faults: list[Fault] = []
        self.inputs = 0  # what it has sent: connections answered, or requests

    def __str__(self) -> str:
        return str(self.port)


@contextlib.contextmanager
def server(answer: Callable[[socket.socket, int], None]) -> Iterator[Attendant]:
    """Answer each connection to a free port.

    Parameters
    ----------
    answer : callable
        Called in a thread with the connection and how many there were before; may
        raise `OSError`.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(_TICK_S)
    end = threading.Event()
    opened: list[socket.socket] = []
    attendant = Attendant(listening.getsockname()[1])

    def serve() -> None:
        count = 0
        while not end.is_set():
            try:
                connection, _ = listening.accept()
            except TimeoutError:
                continue
            connection.settimeout(5)
            opened.append(connection)
            attendant.inputs += 1
            threading.Thread(
                target=_answer, args=(answer, connection, count), daemon=True
            ).start()
            count += 1

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield attendant
    finally:
        end.set()
        thread.join()
        for connection in opened:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        listening.close()


def _answer(
    answer: Callable[[socket.socket, int], None], connection: socket.socket, count: int
) -> None:
    with contextlib.suppress(OSError), connection:
        answer(connection, count)


@contextlib.contextmanager
def client(talk: Callable[[Attendant], None]) -> Iterator[Attendant]:
    """Talk in a thread to a server that the command opens on a free port.

    Parameters
    ----------
    talk : callable
        Called with what it notes its requests and what went wrong in.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        attendant = Attendant(probe.getsockname()[1])

    thread = threading.Thread(target=talk, args=(attendant,))
    thread.start()
    try:
        yield attendant
    finally:
        thread.join()
