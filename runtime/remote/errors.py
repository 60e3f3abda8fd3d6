"""What can go wrong between workstation and board."""

from __future__ import annotations

from edgeseg.devices import EdgesegError


class RemoteError(EdgesegError, OSError):
    """The board cannot be reached, or cannot do what was asked for."""


class ConnectionLostError(RemoteError):
    """The network is in the way: once a board has answered, trying again may help."""
