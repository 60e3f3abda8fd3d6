"""What a power cut or a kill has left unfinished is completed or undone."""

from __future__ import annotations

import contextlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.installation import durable
from edgeseg.runtime.installation import journal as steps
from edgeseg.runtime.installation.journal import (
    Journal,
    is_unfinished,
    read_steps,
    valid_version,
)
from edgeseg.runtime.installation.lock import locked
from edgeseg.runtime.installation.store import InstalledModel, installed_models
from edgeseg.runtime.installation.supervising import UnhealthyError, supervisor_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from edgeseg.devices.types import Json


@contextmanager
def in_order(store: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Keep others from changing a store, and complete or undo what is unfinished in it.

    Parameters
    ----------
    store : Path
        Made where there is none.
    say : callable
        Called with a line for everything that was unfinished.
    """
    with locked(store):
        for line in recover(store):
            say(line)
        yield


def recover(store: Path) -> list[str]:
    """Bring a store in order; the caller holds its lock.

    Returns
    -------
    list of str
        A line for everything that was unfinished.
    """
    said = []
    for model in installed_models(store):
        found = read_steps(model.journal)
        if found and is_unfinished(found[-1]):
            said.append(_finish(model, found[-1]))
        for folder in (model.folder, model.versions):
            if folder.is_dir():
                durable.remove_unfinished(folder)
        if not found and not model.present() and not model.pictures.is_dir():
            durable.remove_folder(model.folder)  # not even begun
    durable.remove_unfinished(store)
    return said


def _finish(model: InstalledModel, last: Json) -> str:
    what = last.get("what", "install")
    about = {key: last.get(key) for key in ("what", "to", "from", "new", "run_by")}
    journal = Journal(model.journal, about)
    valid = valid_version(last)
    whole = valid is not None and model.file(valid) is not None
    if valid is None or not whole:
        _forget(model, last)
        journal.step(steps.REFUSED, reason="interrupted")
        return f"{model.name}: an {what} that was interrupted was given up"
    if model.in_use() != valid:
        model.use(valid)
    trouble = _restart(last)
    if valid == last.get("to"):
        journal.step(steps.KEPT, reason="interrupted, completed")
        return f"{model.name}: an interrupted {what} was completed{trouble}"
    _forget(model, last)
    journal.step(steps.WENT_BACK, reason="interrupted")
    return (
        f"{model.name}: an {what} was interrupted before the new model was confirmed: "
        f"the one before ({valid[:12]}) is in use again{trouble}"
    )


def _forget(model: InstalledModel, last: Json) -> None:
    """Remove the version that an installation brought, if it did and nobody uses it."""
    to = last.get("to")
    if not last.get("new") or not isinstance(to, str) or model.in_use() == to:
        return
    if to in model.present():
        durable.remove_folder(model.versions / to)


def _restart(last: Json) -> str:
    """Start what runs the model anew, as far as it may have seen the other version."""
    run_by = last.get("run_by")
    with contextlib.suppress(InputError):
        supervisor = supervisor_of(run_by if isinstance(run_by, dict) else {})
        if supervisor is not None:
            try:
                supervisor.restart()
            except UnhealthyError as error:
                return f"; {error}"
    return ""
