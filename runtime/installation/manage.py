"""Going back to an earlier version, removing a model, and showing what is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.runtime.installation import durable
from edgeseg.runtime.installation import journal as steps
from edgeseg.runtime.installation.journal import Journal, read_steps
from edgeseg.runtime.installation.store import InstalledModel, installed_models
from edgeseg.runtime.installation.switching import switch
from edgeseg.runtime.model.embedded import sha256
from edgeseg.runtime.segmentation.segmenter import Segmenter

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.devices.types import Json
    from edgeseg.runtime.installation.supervising import Supervisor
    from edgeseg.runtime.installation.switching import Say


def chosen_model(store: Path, name: str | None) -> InstalledModel:
    """Return an installed model by its name; without one, the only one there is.

    Raises
    ------
    InputError
        There is none of that name, or no name and several models.
    """
    models = {model.name: model for model in installed_models(store) if model.present()}
    if name is None and len(models) == 1:
        return next(iter(models.values()))
    if name in models:
        return models[name]
    known = f"installed: {', '.join(models)}" if models else "nothing is installed"
    wanted = "--name to say which" if name is None else f"the name of one, got {name!r}"
    raise InputError(f"expected {wanted}; {known} in {store}")


def roll_back(
    model: InstalledModel,
    wanted: str | None,
    device: str,
    supervisor: Supervisor | None,
    watch_s: float,
    say: Say,
) -> Json:
    """Use an earlier version again; the caller holds the lock.

    Parameters
    ----------
    model : InstalledModel
        The name.
    wanted : str or None
        Version, or how its hash begins; None takes the one that was used before.
    device : str
        Device that it has to run on.
    supervisor : Supervisor or None
        What runs the model.
    watch_s : float
        Seconds that it is watched for.
    say : callable
        Called with a line for the user.

    Returns
    -------
    dict
        What was done.

    Raises
    ------
    InputError, ModelError
        There is no such version, it is damaged, or not healthy: nothing changes then.
    """
    before = model.in_use()
    key = _earlier(model, before) if wanted is None else _named(model, wanted)
    path = model.file(key)
    if path is None or sha256(path) != key[:64]:
        raise InputError(
            f"the version {key[:12]} of {model.name} is damaged: install it again"
        )
    Segmenter.open(path, device=device).close()
    run_by = None if supervisor is None else supervisor.to_dict()
    about = {"what": "rollback", "to": key, "from": before, "run_by": run_by}
    journal = Journal(model.journal, about)
    switch(model, journal, key, supervisor, watch_s, say)
    journal.shorten()
    return {**version_of(model, key), "name": model.name, "before": before}


def remove(model: InstalledModel, wanted: str | None) -> str:
    """Remove a model, or one version that is not in use; the caller holds the lock.

    Returns
    -------
    str
        What was removed.

    Raises
    ------
    InputError
        There is no such version, or it is in use.
    """
    if wanted is None:
        durable.remove_folder(model.folder)
        return model.name
    key = _named(model, wanted)
    if key == model.in_use():
        raise InputError(
            f"the version {key[:12]} of {model.name} is in use: roll back first, or "
            "remove the model with all versions"
        )
    durable.remove_folder(model.versions / key)
    return f"{model.name} {key[:12]}"


def overview(model: InstalledModel) -> Json:
    """Return what is known of an installed model, as JSON values."""
    found = read_steps(model.journal)
    path = model.model()
    in_use = None if path is None else path.parent.name
    versions = [
        {**version_of(model, key), "in_use": key == in_use} for key in model.present()
    ]
    last = found[-1] if found else {}
    keys = ("what", "step", "at", "reason", "to", "agreement")
    return {
        "name": model.name,
        "path": str(model.link),
        "versions": versions,
        "last": {key: last[key] for key in keys if last.get(key) is not None},
    }


def version_of(model: InstalledModel, key: str) -> Json:
    """Return what is known of a version."""
    keys = ("version", "sha256", "bytes", "source", "signed_by", "installed")
    about = model.about(key)
    return {name: about.get(name) for name in keys}


def _earlier(model: InstalledModel, in_use: str | None) -> str:
    """Return the version that was used before the one in use."""
    kept = [s["to"] for s in read_steps(model.journal) if s["step"] == steps.KEPT]
    present = model.present()
    for key in [*reversed(kept), *present]:
        if key != in_use and key in present:
            return str(key)
    raise InputError(
        f"{model.name} has no other version to go back to: installed is {in_use}"
    )


def _named(model: InstalledModel, wanted: str) -> str:
    present = model.present()
    fitting = [
        key
        for key in present
        if model.about(key).get("version") == wanted
        or (len(wanted) >= 6 and key.startswith(wanted.lower()))
    ]
    if len(fitting) == 1:
        return fitting[0]
    known = ", ".join(f"{model.about(k).get('version')} ({k[:12]})" for k in present)
    problem = "no version" if not fitting else "several versions"
    raise InputError(f"{model.name} has {problem} {wanted!r}; it has {known}")
