"""One change of a store at a time: a lock that ends with the process, by a kill too."""

from __future__ import annotations

import contextlib
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
    """Keep others from changing a store.

    The folder is made where there is none, and goes again if it stays empty.

    Raises
    ------
    InputError
        Another process changes it.
    """
    made: list[Path] = []
    descriptor = _take(store, made)
    try:
        yield
    finally:
        _remove_empty(store, made)
        _let_go(descriptor)


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


def _take(store: Path, made: list[Path]) -> int:
    """Return the open lock; ``made`` gets the folders that were missing."""
    end = time.monotonic() + _PATIENCE_S
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    while True:
        made += durable.make_folder(store)
        try:
            descriptor = os.open(store / _FILE, flags, 0o644)
        except FileNotFoundError:  # who made the folder has just removed it
            continue
        _held.add(descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_there(store / _FILE, descriptor):
                return descriptor
        except BlockingIOError as error:
            if time.monotonic() > end:
                _let_go(descriptor)
                raise InputError(
                    f"another edgeseg model is changing {store}: wait for it"
                ) from error
            time.sleep(0.05)
        except BaseException:
            _let_go(descriptor)
            raise
        _let_go(descriptor)


def _let_go(descriptor: int) -> None:
    _held.discard(descriptor)
    os.close(descriptor)


def _is_there(path: Path, descriptor: int) -> bool:
    """Return whether a file is still the one at a path."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _remove_empty(store: Path, made: list[Path]) -> None:
    """Remove folders that were made for a store, if nothing has come into it."""
    with contextlib.suppress(OSError):
        if not made or os.listdir(store) not in ([], [_FILE]):
            return
        (store / _FILE).unlink(missing_ok=True)
        for folder in made:
            folder.rmdir()
