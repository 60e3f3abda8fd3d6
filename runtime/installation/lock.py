"""One change of a store at a time: a lock that ends with the process, by a kill too."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.installation import durable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FILE = ".lock"
_PATIENCE_S = 3.0  # a reader's look takes the lock for a moment
_held: set[int] = set()


def _close_in_child() -> None:
    """Let go of the lock in a fork, which may outlive the process that holds it."""
    while _held:
        os.close(_held.pop())


os.register_at_fork(after_in_child=_close_in_child)


@contextmanager
def locked(store: Path) -> Iterator[None]:
    """Keep others from changing a store; the folder is made where there is none.

    Raises
    ------
    InputError
        Another process changes it.
    """
    durable.make_folder(store)
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    descriptor = os.open(store / _FILE, flags, 0o644)
    _held.add(descriptor)
    try:
        _take(descriptor, store)
        yield
    finally:
        _held.discard(descriptor)
        os.close(descriptor)


def is_locked(store: Path) -> bool:
    """Return whether somebody is changing a store; needs the right to read only."""
    try:
        descriptor = os.open(store / _FILE, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    finally:
        os.close(descriptor)
    return False


def _take(descriptor: int, store: Path) -> None:
    end = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > end:
                raise InputError(
                    f"another edgeseg model is changing {store}: wait for it"
                ) from error
            time.sleep(0.05)
        else:
            return
