"""Messages between workstation and board: a line of JSON, then bytes if it says so."""

import json
from typing import Any, BinaryIO

# what the board says first: a login script may have printed before it
GREETING = b"\0edgeseg board 1\n"
LONGEST = 16 << 20  # bytes of an answer; the workstation reads no more


def send(stream: BinaryIO, message: "dict[str, Any]", payload: bytes = b"") -> None:
    """Write a message; ``payload`` in it is the number of bytes that follow."""
    if payload:
        message = dict(message, payload=len(payload))
    stream.write(packed(message) + payload)
    stream.flush()


def packed(message: "dict[str, Any]") -> bytes:
    """Return a message as it is sent."""
    return json.dumps(message).encode("ascii") + b"\n"


def receive(stream: BinaryIO) -> "dict[str, Any] | None":
    """Read a message without its bytes, None at the end of the stream."""
    line = stream.readline()
    if not line.endswith(b"\n"):
        return None
    message: dict[str, Any] = json.loads(line.decode("ascii"))
    return message
