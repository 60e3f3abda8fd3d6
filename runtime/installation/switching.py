"""From one version to another, and back by itself where the new one is not healthy."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from edgeseg.devices.plain_text import one_line
from edgeseg.runtime.installation import journal as steps
from edgeseg.runtime.installation.supervising import UnhealthyError, watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.runtime.installation.journal import Journal
    from edgeseg.runtime.installation.store import InstalledModel
    from edgeseg.runtime.installation.supervising import Supervisor

    Say = Callable[[str], None]


def switch(
    model: InstalledModel,
    journal: Journal,
    to: str,
    supervisor: Supervisor | None,
    watch_s: float,
    say: Say,
) -> None:
    """Let a name mean another version.

    Parameters
    ----------
    model : InstalledModel
        The name.
    journal : Journal
        Gets the steps.
    to : str
        The version, whole and tried.
    supervisor : Supervisor or None
        What runs the model.
    watch_s : float
        Seconds that it is watched for.
    say : callable
        Called with a line for the user.

    Raises
    ------
    UnhealthyError
        What runs the model is not healthy with it; the version before is in use again,
        and was started.
    """
    before = model.in_use()
    journal.step(steps.SWITCHING)
    try:
        model.use(to)
        journal.step(steps.SWITCHED)
        say(f"in use: {model.link}")
        if supervisor is not None:
            supervisor.restart()
            journal.step(steps.RESTARTED)
            say(f"restarted, watched for {watch_s:g} s")
            watch(supervisor, watch_s)
            journal.step(steps.HEALTHY)
        journal.step(steps.KEPT)
    except BaseException as error:
        after = _go_back(model, journal, before, supervisor, error)
        if isinstance(error, UnhealthyError):
            raise UnhealthyError(f"{error}; {after}") from error
        raise


def _go_back(
    model: InstalledModel,
    journal: Journal,
    before: str | None,
    supervisor: Supervisor | None,
    error: BaseException,
) -> str:
    """Use the version before again; return what to say of it."""
    model.use(before)
    trouble = ""
    if supervisor is not None and before is not None:
        try:
            supervisor.restart()
        except UnhealthyError as again:
            trouble = f", but it could not be restarted: {again}"
    reason = one_line(error) or type(error).__name__
    with contextlib.suppress(OSError):  # a full disk; it is so without the line, too
        journal.step(steps.WENT_BACK, reason=reason)
    if before is None:
        return "nothing is installed, as before"
    return f"the model before ({before[:12]}) is in use again{trouble}"
