"""Which connections stay: a page that everybody may connect to has few places."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from uvicorn.protocols.http.h11_impl import H11Protocol

from edgeseg.runtime.web.gate import CONNECTIONS, OVER_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edgeseg.devices.types import Untyped

HEAD_S = 5.0  # a request's head must be here so long after the connection or answer


class ClientConnection(H11Protocol):
    """One connection, which may have to give way.

    One that has not asked, or has its answer, waits. Where all places are taken, the
    one that has waited longest is cut, of the address that holds most: a program that
    only connects keeps nobody out.
    """

    waits_since = 0.0

    @property
    def waits(self) -> bool:
        """Whether nothing is being answered."""
        return self.cycle is None or self.cycle.response_complete

    @property
    def is_late(self) -> bool:
        """Whether the next request should have come by now.

        Bytes that drip in are no request.
        """
        return self.waits and self.loop.time() - self.waits_since > HEAD_S

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a place; cut another connection, or this one, where there is none."""
        super().connection_made(transport)
        self.waits_since = self.loop.time()
        if len(self.connections) > CONNECTIONS:
            self._make_room()
        over = len(self.connections) > CONNECTIONS
        if len(self.connections) > 2 * CONNECTIONS:
            self._cut(self)
        self.app_state = {**self.app_state, OVER_LIMIT: over}

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self.waits_since = self.loop.time()
        super().on_response_complete()

    def _make_room(self) -> None:
        others: list[Untyped] = [c for c in self.connections if c is not self]
        waiting = [each for each in others if each.waits]
        if waiting:
            held = Counter(map(_host, self.connections))
            self._cut(min(waiting, key=lambda c: (-held[_host(c)], c.waits_since)))

    def _cut(self, connection: Untyped) -> None:
        connection.transport.abort()
        self.connections.discard(connection)  # now, not when the loop comes to it


def cut_late(connections: Iterable[Untyped]) -> None:
    """Cut those that never finish asking, or never start."""
    for connection in connections:
        if connection.is_late:
            connection.transport.abort()


def _host(connection: Untyped) -> str:
    return str(connection.client[0]) if connection.client else ""
