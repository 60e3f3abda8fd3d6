"""The server's socket: limits of a connection, and whether its place may come free."""

from __future__ import annotations

import contextlib
import errno
import socket
from typing import TYPE_CHECKING

from edgeseg.devices import OutputError
from edgeseg.devices.plain_text import reason_of

if TYPE_CHECKING:
    from edgeseg.runtime.web.address import WebAddress

_SEND_BUFFER = 256 * 1024  # bytes the kernel keeps for a client that is slow
# The kernel asks whether a silent client is still there, and gives one up that takes
# nothing: tcp(7). Not every system has them.
_TCP = {
    "TCP_KEEPIDLE": 15,
    "TCP_KEEPINTVL": 5,
    "TCP_KEEPCNT": 3,
    "TCP_USER_TIMEOUT": 20_000,
    "TCP_NODELAY": 1,
}


# another program has the port, or the network with this address is not there yet
_LATE = (errno.EADDRINUSE, errno.EADDRNOTAVAIL)


def is_late(error: BaseException) -> bool:
    """Whether what keeps a server from listening may pass by itself."""
    if isinstance(error, socket.gaierror):
        return error.errno == socket.EAI_AGAIN  # no name service yet
    return isinstance(error, OSError) and error.errno in _LATE


def listen(address: WebAddress) -> socket.socket:
    """Return a socket that listens.

    Raises
    ------
    OutputError
        The address cannot be listened on; `is_late` judges its cause.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        listening = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise OutputError(
            f"web: {address.host} cannot be used: this system has no "
            f"{'IPv6' if family == socket.AF_INET6 else 'IPv4'} "
            f"({reason_of(error)})"
        ) from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # connections inherit these
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _TCP.items():
            if hasattr(socket, name):
                with contextlib.suppress(OSError):
                    number = getattr(socket, name)
                    listening.setsockopt(socket.IPPROTO_TCP, number, value)
        listening.bind((address.host, address.port))
        listening.listen(64)
    except OSError as error:
        listening.close()
        place = address.url(address.port)
        reason = reason_of(error)
        raise OutputError(
            f"web: cannot listen on {place}: {reason}; choose another port, or 0 for "
            "a free one"
        ) from error
    return listening
