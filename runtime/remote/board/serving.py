"""The board's side of a connection: read a request, do it, answer."""

import os
import sys
from typing import Any, BinaryIO, Dict  # noqa: UP035 (3.6)

from edgeseg.runtime.remote.board import (
    environment,
    facts,
    following,
    messages,
    processes,
    store,
)

_Request = Dict[str, Any]  # noqa: UP006 (3.6)


class BoardServer:
    """Answers the requests of one connection.

    Parameters
    ----------
    requests, replies : file objects
        Where they come from and go to.
    """

    def __init__(self, requests: BinaryIO, replies: BinaryIO) -> None:
        self._requests = requests
        self._replies = replies

    def serve(self) -> None:
        """Go on until the workstation hangs up."""
        self._replies.write(messages.GREETING)
        self._replies.flush()
        while True:
            request = messages.receive(self._requests)
            if request is None:
                return
            try:
                answer = getattr(self, "do_" + request["op"])(request)
                _check_length(answer)
            except (store.BoardError, OSError) as error:
                # what follows of this request is not read: the connection ends here
                messages.send(self._replies, {"error": _line(error)})
                return
            if answer is not None:
                messages.send(self._replies, answer)

    def do_facts(self, request: _Request) -> _Request:
        """Return what the board is."""
        return facts.facts()

    def do_python(self, request: _Request) -> _Request:
        """Choose a Python."""
        return facts.choose_python(
            request["wanted"], request["oldest"], request["newest"]
        )

    def do_state(self, request: _Request) -> _Request:
        """Return how much of some files is there."""
        return {
            "offsets": store.offsets(request["blobs"]),
            "free": store.free_bytes(),
        }

    def do_put(self, request: _Request) -> None:
        """Take a file's bytes; not answered, so that many can follow each other."""
        keys = ("sha", "offset", "payload")
        if not store.put(self._requests, *(request[key] for key in keys)):
            raise store.BoardError("the connection ended")

    def do_commit(self, request: _Request) -> _Request:
        """Check what has come."""
        return {"damaged": store.commit(request["blobs"])}

    def do_tree(self, request: _Request) -> _Request:
        """Make a folder of what has come."""
        return {"path": store.make_tree(request["name"], request["files"])}

    def do_find(self, request: _Request) -> _Request:
        """Look for an environment."""
        keys = ("wheel", "python", "extras", "system")
        return {"python": environment.find(*(request[key] for key in keys))}

    def do_make(self, request: _Request) -> _Request:
        """Make an environment."""
        keys = ("key", "python", "has_venv", "target", "links", "record")
        values = [request[key] for key in keys]
        return {"python": environment.make(self._report, *values)}

    def do_start(self, request: _Request) -> _Request:
        """Start a command."""
        keys = ("token", "argv", "environment", "record", "grace_s")
        return {"run": processes.start(*(request[key] for key in keys))}

    def do_follow(self, request: _Request) -> "_Request | None":
        """Follow a command."""
        return following.follow(self._replies, request["run"], request["offsets"])

    def do_stop(self, request: _Request) -> None:
        """Ask a command to end; not answered, it may cross its end."""
        processes.stop(request["run"], request["hard"])

    def do_end(self, request: _Request) -> _Request:
        """End a command for certain, and return how it ended."""
        return processes.kill(request["run"])

    def do_runs(self, request: _Request) -> _Request:
        """Return the runs, the newest first."""
        return {"runs": processes.known()}

    def do_tail(self, request: _Request) -> _Request:
        """Send the last lines of what a run printed."""
        text, sizes = following.tail(request["run"], request["lines"])
        return {"text": text, "sizes": sizes}

    def do_results(self, request: _Request) -> _Request:
        """List what a run wrote."""
        return {"files": processes.listing(request["run"])}

    def do_get(self, request: _Request) -> None:
        """Send a file that a run wrote."""
        keys = ("run", "path", "offset")
        processes.send(self._replies, *(request[key] for key in keys))

    def _report(self, text: str) -> None:
        messages.send(self._replies, {"note": text})


def _check_length(answer: "_Request | None") -> None:
    if answer is not None and len(messages.packed(answer)) > messages.LONGEST:
        raise store.BoardError(
            "the answer is longer than a message may be: a run wrote more files than "
            "can be listed; copy its folder with scp"
        )


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def main() -> None:
    """Serve standard input and output."""
    os.umask(0o022)
    # what is started here must not write between the messages
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        BoardServer(sys.stdin.buffer, replies).serve()
    except BrokenPipeError:
        os._exit(0)  # nobody listens; closing the streams would raise again
