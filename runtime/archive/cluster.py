"""A cluster of Ray: one that runs already, or one for this process alone."""

from __future__ import annotations

import logging
import os
import re
import secrets
import signal
import socket
import tempfile
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, MissingDriverError
from edgeseg.devices.plain_text import one_line
from edgeseg.devices.quiet import quiet
from edgeseg.runtime.pictures.left_behind import hold, remove_left_behind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeseg.devices.types import Untyped

AUTO = "auto"
_STORE_BYTES = 100 << 20  # Ray's shared memory, of which next to nothing is used
_TEMPORARY = re.compile(r"edgeseg-ray-[a-z0-9_]{8}")
_LONGEST = 20  # characters of the folder for sockets, whose names Linux limits
_PATIENCE_S = 10.0
_SETTINGS = b"\0\0\0\4\0\0\0\0\0"  # an empty frame of that type, which comes first
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _SETTINGS
_TRIES = 3  # at starting one of our own
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # what it says of processes that died would be printed among our own lines
    "RAY_DEDUP_LOGS": "1",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",
}
# Ray's switch for systems whose firewalls ask: one of our own has no address but
# 127.0.0.1, where it would look up and use the machine's
_LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}


@contextmanager
def connected(address: str | None) -> Iterator[Untyped]:
    """Yield Ray, connected; one of our own is ended at the end, its files removed.

    Parameters
    ----------
    address : str or None
        ``HOST:PORT`` of a cluster, or ``auto`` for the one that this machine belongs
        to; None starts one on this machine, which takes nothing from others: it
        listens on 127.0.0.1 alone, and a token that is new each time guards it.

    Raises
    ------
    MissingDriverError
        Ray is not installed.
    InputError
        There is no cluster at the address, or it cannot be used.
    """
    check_installed()
    with ExitStack() as stack:
        if address is None:
            stack.enter_context(_guarded())
        ray = _module(_QUIET if address else _QUIET | _LOOPBACK)
        settings: dict[str, object] = {
            "log_to_driver": False,
            "logging_level": logging.CRITICAL,
            "configure_logging": True,
            "ignore_reinit_error": False,
        }
        if address is None:
            settings |= {
                "_node_ip_address": "127.0.0.1",
                "include_dashboard": False,
                "num_cpus": cores(),
                "object_store_memory": _STORE_BYTES,
                "_temp_dir": stack.enter_context(_short_folder()),
            }
        else:
            _check_reachable(address)
            settings["address"] = address
        stack.callback(ray.shutdown)
        _start(ray, address, settings)
        yield ray


def _start(ray: Untyped, address: str | None, settings: dict[str, object]) -> None:
    """Connect; where a busy machine was too slow for Ray's own patience, once more."""
    for left in reversed(range(_TRIES if address is None else 1)):
        try:
            # what its libraries say of themselves is not ours to show
            with quiet(), _own_signals():
                ray.init(**settings)
        except Exception as error:  # Ray raises bare ones too
            if not left:
                raise _unusable(address, error) from error
            ray.shutdown()
        else:
            return


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep the handlers of signals that Ray would take over."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def check_installed() -> None:
    """Raise `MissingDriverError` where the extra is not installed."""
    from importlib.util import find_spec

    for name in ("ray", "pyarrow"):
        if find_spec(name) is None:
            raise MissingDriverError(
                f"this needs the package {name}: pip install 'edgeseg[archive]'"
            )


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def _guarded() -> Iterator[None]:
    """Guard a Ray that is started meanwhile by a token that only this process has."""
    ours = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    before = {key: os.environ.get(key) for key in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value


def _module(settings: dict[str, str]) -> Untyped:
    os.environ.update(settings)  # read when it is imported
    import ray

    return ray


@contextmanager
def _short_folder() -> Iterator[str]:
    """Yield a new folder for Ray's sockets and logs; a kill leaves it for the next."""
    root = Path(tempfile.gettempdir())
    if len(str(root)) > _LONGEST:
        root = Path("/tmp")
    remove_left_behind(root, _TEMPORARY)
    with tempfile.TemporaryDirectory(
        prefix="edgeseg-ray-", dir=root, ignore_cleanup_errors=True
    ) as folder:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            hold(descriptor)
            yield folder
        finally:
            os.close(descriptor)


def _check_reachable(address: str) -> None:
    """Raise unless something listens; Ray itself would try for a minute."""
    if address == AUTO or "://" in address:
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise InputError(
            f"--ray: expected HOST:PORT of a cluster, or {AUTO}; got {address!r}"
        )
    try:
        with socket.create_connection((host, int(port)), _PATIENCE_S) as connection:
            connection.settimeout(_PATIENCE_S)
            answers = _speaks_http_2(connection)
    except OSError as error:
        raise _unusable(address, error) from error
    if not answers:
        raise InputError(
            f"no cluster of Ray at {address}: something else listens there; expected "
            "the address that ray start --head prints"
        )


def _speaks_http_2(connection: socket.socket) -> bool:
    """Return whether who listens does what Ray's gRPC does: RFC 9113, section 3.4."""
    if os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true"):
        return True  # not before the two have agreed on a cipher
    connection.sendall(_PREFACE)
    head = b""
    while len(head) < len(_SETTINGS):
        try:
            part = connection.recv(len(_SETTINGS) - len(head))
        except OSError:  # it waits for something else, or hangs up
            return False
        if not part:
            return False
        head += part
    return head[3] == _SETTINGS[3]


def _unusable(address: str | None, error: Exception) -> InputError:
    reason = one_line(error)
    if _is_about_token(error):
        return InputError(
            f"the cluster of Ray at {address} refuses the token of this machine, or "
            "the lack of one: set RAY_AUTH_MODE=token, and copy ~/.ray/auth_token from "
            "the cluster's first machine, or set RAY_AUTH_TOKEN"
        )
    if address is None:
        return InputError(f"Ray cannot be started here: {reason}")
    if address == AUTO and isinstance(error, ConnectionError):
        reason = "this machine belongs to none"
    return InputError(
        f"no cluster of Ray at {address}: {reason}; start one with: ray start --head, "
        "or leave --ray out"
    )


def _is_about_token(error: BaseException | None) -> bool:
    while error is not None:
        if type(error).__name__ == "AuthenticationError":
            return True
        error = error.__cause__ or error.__context__
    return False
