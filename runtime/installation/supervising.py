"""What runs the model: restarted after a change, and watched."""

from __future__ import annotations

import http.client
import shlex
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from edgeseg.devices import InputError, ModelError
from edgeseg.devices.plain_text import printable, reason_of
from edgeseg.runtime.installation.fetching import is_url, shown
from edgeseg.runtime.service.install import Place, ask_systemd

if TYPE_CHECKING:
    from edgeseg.devices.types import Json

_LIMIT_S = 60.0  # of a command
_POLL_S = 1.0
_MISSES = 3  # in a row: one answer may come late on a busy board


class UnhealthyError(ModelError):
    """What runs the model is not healthy with it."""


class Supervisor(Protocol):
    """Restarts what runs a model, and knows how it is."""

    def restart(self) -> None:
        """Start it anew; raise `UnhealthyError` where that cannot be done."""

    def trouble(self) -> str:
        """Return what is wrong, empty where nothing is; raise where it is hopeless."""

    def to_dict(self) -> Json:
        """Return what `supervisor_of` takes."""


class SystemdService:
    """A service of systemd, as `edgeseg service install` makes them.

    It is healthy when it runs, which there means that frames are finished.

    Parameters
    ----------
    place : Place
        Its name, and whose it is.
    """

    def __init__(self, place: Place) -> None:
        self._place, self._unit = place, f"{place.name}.service"
        self._before = ""  # the start that is not the one to look at

    def restart(self) -> None:
        """Start it anew; does not wait until it runs."""
        self._before = self._state().get("InvocationID", "")
        ask_systemd(self._place, "reset-failed", self._unit)
        done, said = ask_systemd(self._place, "restart", "--no-block", self._unit)
        if not done:
            raise UnhealthyError(f"cannot restart {self._unit}: {printable(said, 200)}")

    def trouble(self) -> str:
        """Ask systemd."""
        state = self._state()
        if "error" in state:
            return state["error"]
        active, sub = state.get("ActiveState", ""), state.get("SubState", "")
        started = state.get("InvocationID", "")
        if started and started == self._before and active != "failed":
            return f"{self._unit} is not started anew yet"
        # counted from 0 after a start by hand
        ended = sub == "auto-restart" or state.get("NRestarts", "0") not in ("", "0")
        if active == "failed" or ended:
            result = state.get("Result", "")
            raise UnhealthyError(f"{self._unit} ended by itself: {result or sub}")
        if active == "active":
            return ""
        text = printable(state.get("StatusText", ""))
        return f"{self._unit} is {active} ({sub}){f': {text}' if text else ''}"

    def to_dict(self) -> Json:
        """Return JSON values."""
        return {"service": self._place.name, "system": self._place.system}

    def _state(self) -> dict[str, str]:
        keys = "ActiveState,SubState,Result,NRestarts,StatusText,InvocationID"
        asked = ("show", self._unit, f"--property={keys}")
        done, said = ask_systemd(self._place, *asked)
        if not done:
            return {"error": printable(said, 200)}
        pairs = (line.partition("=") for line in said.splitlines())
        return {key: value for key, _, value in pairs}


@dataclass(frozen=True)
class Commands:
    """Something else: a command restarts it, a command or an address says how it is.

    Parameters
    ----------
    restart_command : str
        Words as a shell takes them; no shell is started.
    health : str
        A command that ends with 0, or an address that answers 200, where it is healthy;
        empty for always.
    """

    restart_command: str
    health: str = ""

    def restart(self) -> None:
        """Run the command."""
        reason = _failure(self.restart_command)
        if reason:
            raise UnhealthyError(f"cannot restart: {reason}")

    def trouble(self) -> str:
        """Ask the address, or run the command."""
        if not self.health:
            return ""
        return _no_answer(self.health) if is_url(self.health) else _failure(self.health)

    def to_dict(self) -> Json:
        """Return JSON values."""
        return {"restart": self.restart_command, "health": self.health}


def supervisor_of(values: Json) -> Supervisor | None:
    """Return what restarts and watches, None where nothing does.

    Parameters
    ----------
    values : dict
        ``service`` and ``system``, or ``restart`` and ``health``.

    Raises
    ------
    InputError
        Both are given, or a command has no words.
    """
    service, command = values.get("service"), values.get("restart")
    health = values.get("health") or ""
    if service and (command or health):
        raise InputError("--service restarts and watches: leave out the commands")
    if service:
        return SystemdService(Place(str(service), bool(values.get("system"))))
    if health and not command:
        raise InputError("--health needs --restart: how is the new model started?")
    if not command:
        return None
    for name, text in (("--restart", command), ("--health", health)):
        if not is_url(text):
            _words(text, name)
    return Commands(str(command), str(health))


def watch(supervisor: Supervisor, seconds: float, *, poll_s: float = _POLL_S) -> None:
    """Wait until something is healthy, and see that it stays so.

    Parameters
    ----------
    supervisor : Supervisor
        Just restarted.
    seconds : float
        How long it may take to be healthy, and how long it has to stay so.
    poll_s : float
        Between two looks.

    Raises
    ------
    UnhealthyError
        It was not, or did not.
    """
    if not seconds:
        return
    end = time.monotonic() + seconds
    while reason := supervisor.trouble():
        if time.monotonic() > end:
            raise UnhealthyError(f"not healthy within {seconds:g} s: {reason}")
        time.sleep(poll_s)
    end, missed = time.monotonic() + seconds, 0
    while missed or time.monotonic() < end:
        time.sleep(poll_s)
        reason = supervisor.trouble()
        missed = missed + 1 if reason else 0
        if missed >= _MISSES:
            raise UnhealthyError(f"healthy at first, but then: {reason}")


def _words(text: str, option: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise InputError(f"{option}: cannot split {text!r}: {error}") from error
    if text and not words:
        raise InputError(f"{option}: expected a command, got {text!r}")
    return words


def _failure(command: str) -> str:
    """Return why a command failed, empty where it did not."""
    words = shlex.split(command)
    nothing = subprocess.DEVNULL  # no pipes: what it leaves running keeps them open
    try:
        done = subprocess.run(
            words,
            stdin=nothing,
            stdout=nothing,
            stderr=nothing,
            timeout=_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{words[0]} did not end within {_LIMIT_S:.0f} s"
    except OSError as error:
        return f"cannot start {words[0]}: {reason_of(error)}"
    return "" if done.returncode == 0 else f"{words[0]} ended with {done.returncode}"


def _no_answer(url: str) -> str:
    """Return why an address does not say that all is healthy."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            status = answer.status
    except urllib.error.HTTPError as error:
        status = error.code
        error.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None)
        return f"{shown(url)}: {printable(str(reason or error), 160)}"
    return "" if status == 200 else f"{shown(url)} answers {status}"
