"""The contract of one connection to a camera or stream."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Connection(ABC):
    """One try at a camera or stream; after a failure a new one is made.

    Making one opens nothing. `open`, `read` and `close` are called from one thread,
    `close` always, at the end; `interrupt` from any other.
    """

    @abstractmethod
    def open(self) -> None:
        """Connect.

        Raises
        ------
        InputError
            There is no such camera or stream, or it refuses; the message says why.
        MissingDriverError
            A package or program is not installed.
        """

    @abstractmethod
    def read(self) -> NDArray[np.uint8]:
        """Wait for the next frame: ``(H, W, 3)`` uint8 RGB.

        Raises
        ------
        InputError
            The stream has ended, failed, or gives no pictures.
        """

    def interrupt(self) -> None:  # noqa: B027 (a driver may have no way to do it)
        """Make `open` or `read` end soon, by raising, where there is a way."""

    @abstractmethod
    def close(self) -> None:
        """Release what was opened, if anything."""

    @property
    def told(self) -> dict[str, Any]:
        """What is known of the stream, as JSON values: ``through``, ``fps`` ..."""
        return {}
