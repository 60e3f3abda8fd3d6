"""Which board, how ``ssh`` is called for it, and the errors of a connection."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from edgeseg.devices import EdgesegError, InputError

# never ask (nobody may be there), never take an unknown key, notice a dead peer in
# 15 s; forwardings of the user's configuration would collide with another session's
_OPTIONS = (
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "ConnectTimeout=10",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "RequestTTY=no",
    "LogLevel=ERROR",  # without a host's banner
)


@dataclass(frozen=True)
class BoardAddress:
    """A board's address as the user gives it.

    Parameters
    ----------
    host : str
        ``USER@HOST``, ``HOST``, or an alias of the SSH configuration.
    port : int or None
        None leaves it to the configuration.
    identity, config : Path or None
        A private key and a configuration file, as ``ssh`` takes them.

    Raises
    ------
    InputError
        The host could be taken for an option, or is no host's name.
    """

    host: str
    port: int | None = None
    identity: Path | None = None
    config: Path | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"(?!-)[^\s@]+(@(?!-)[^\s@]+)?", self.host) or not (
            self.host.isprintable()
        ):
            raise InputError(
                f"expected USER@HOST, HOST or an alias such as pi@192.168.1.20, got "
                f"{self.host!r}"
            )
        for path, what in ((self.identity, "key"), (self.config, "configuration")):
            if path is not None and not path.is_file():
                raise InputError(f"no such {what} file: {path}")

    def ssh(self) -> list[str]:
        """Return the call of ``ssh`` up to the host: no shell is to see it."""
        call = ["ssh", "-T"]
        if self.config is not None:
            call += ["-F", str(self.config)]
        if self.port is not None:
            call += ["-p", str(self.port)]
        if self.identity is not None:
            call += ["-i", str(self.identity), "-o", "IdentitiesOnly=yes"]
        for option in _OPTIONS:
            call += ["-o", option]
        return [*call, "--", self.host]

    def by_hand(self) -> str:
        """Return what a user types to connect once by hand."""
        port = f" -p {self.port}" if self.port is not None else ""
        return f"ssh{port} {self.host}"


class RemoteError(EdgesegError, OSError):
    """The board cannot be reached, or cannot do what was asked for."""


class ConnectionLostError(RemoteError):
    """The network is in the way: once a board has answered, trying again may help."""
