"""From what ``ssh`` says to one line that says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices.plain_text import printable
from edgeseg.runtime.remote.address import ConnectionLostError, RemoteError

if TYPE_CHECKING:
    from edgeseg.runtime.remote.address import BoardAddress

_SSH_FAILED = 255
_NOT_FOUND = 127  # by POSIX shells

# text of OpenSSH (sshconnect.c, clientloop.c, readconf.c) or of the C library:
# what it means, and what to do; the first that is found counts
_LASTING = (
    (
        "IDENTIFICATION HAS CHANGED",
        "the host key of {host} is not the one that was accepted before: another "
        "machine may be answering. Where the board was set up anew, remove the old key "
        "(ssh-keygen -R {name}) and connect once by hand: {hand}",
    ),
    (
        "Host key verification failed",
        "the host key of {host} is not known: connect once by hand, compare the "
        "fingerprint and accept it: {hand}",
    ),
    (
        "UNPROTECTED PRIVATE KEY",
        "the private key may be read by others: chmod 600 on it",
    ),
    (
        "Permission denied (",
        "{host} lets nobody in with this key: ssh-copy-id{port} {host}, or name the "
        "key with --identity (keys only; one with a passphrase goes through ssh-agent)",
    ),
    ("Bad configuration option", "the SSH configuration has an error: {said}"),
    ("terminating,", "the SSH configuration has an error: {said}"),
    (
        "Could not resolve hostname",
        "no such host: {name} (an address such as pi@192.168.1.20 works without a name "
        "service)",
    ),
)
_PASSING = (
    (
        "Connection refused",
        "{name} refuses SSH connections: is sshd on there (sudo systemctl enable --now "
        "ssh), and is the port right (--port)?",
    ),
    ("timed out", "{name} does not answer: is it on, and in this network?"),
    ("No route to host", "{name} cannot be reached: is it on, and in this network?"),
    ("Network is unreachable", "{name} cannot be reached: there is no network"),
)


def trouble(address: BoardAddress, said: str, status: int) -> RemoteError:
    """Return the error of an ``ssh`` that has ended.

    Parameters
    ----------
    address : BoardAddress
        Where it went to.
    said : str
        What it printed at last.
    status : int
        Its exit status.
    """
    said = " ".join(said.split())
    if status == _NOT_FOUND:
        return RemoteError(
            f"{address.host} has no python3: sudo apt install python3 python3-venv "
            f"there, or name one with --python ({_end(said)})"
        )
    for mark, text in _LASTING:
        if mark in said and status == _SSH_FAILED:
            return RemoteError(_filled(text, address, said))
    if status != _SSH_FAILED:
        return RemoteError(f"{address.host} did not answer as expected: {_end(said)}")
    passing = next((text for mark, text in _PASSING if mark in said), None)
    return ConnectionLostError(
        _filled(passing, address, said)
        if passing
        else f"the connection to {address.host} ended: {_end(said)}"
    )


def _filled(text: str, address: BoardAddress, said: str) -> str:
    return text.format(
        host=address.host,
        name=address.host.rpartition("@")[2],
        hand=address.by_hand(),
        port=f" -p {address.port}" if address.port is not None else "",
        said=_end(said),
    )


def _end(said: str) -> str:
    """Return what was said as a line to show: the reason stands at its end."""
    return printable(said, 300) or "no reason told"
