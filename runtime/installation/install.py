"""A model from a file or an address to a name: fetched, tried, switched to, watched."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from edgeseg.devices import EdgesegError, InputError, OutputError
from edgeseg.devices.plain_text import one_line, reason_of
from edgeseg.runtime.installation import durable
from edgeseg.runtime.installation import journal as steps
from edgeseg.runtime.installation.fetching import fetch, is_url, shown
from edgeseg.runtime.installation.journal import Journal, read_steps
from edgeseg.runtime.installation.signature import LARGEST as LARGEST_SIGNATURE
from edgeseg.runtime.installation.signature import SUFFIX, check_signature
from edgeseg.runtime.installation.store import VERSION_FILE, InstalledModel
from edgeseg.runtime.installation.switching import switch
from edgeseg.runtime.installation.trial import Conditions, naming, try_model
from edgeseg.runtime.json_text import json_text
from edgeseg.runtime.model.embedded import sha256 as sha256_of

if TYPE_CHECKING:
    from edgeseg.devices.types import Json
    from edgeseg.runtime.installation.supervising import Supervisor
    from edgeseg.runtime.installation.switching import Say

SUFFIXES = (".tflite", ".onnx")
SIGNERS = "allowed_signers"  # in the store's folder: then every model must be signed


@dataclass(frozen=True)
class Order:
    """What is to be installed.

    Parameters
    ----------
    source : str
        Path of a file, or an address of HTTP.
    sha256 : str
        Of the file, in lower case.
    version : str
        What its maker calls it; empty for the beginning of its hash.
    signers : Path or None
        Allowed signers; None asks for a signature only where the store has a file
        ``allowed_signers``.
    signature : str
        Path or address; empty for that of the model with ``.sig`` behind it.
    conditions : Conditions
        What it has to fulfil.
    keep : int
        Versions that stay.
    watch_s : float
        Seconds that what runs the model is watched for.
    """

    source: str
    sha256: str
    version: str = ""
    signers: Path | None = None
    signature: str = ""
    conditions: Conditions = field(default_factory=Conditions)
    keep: int = 3
    watch_s: float = 30.0


def install(
    model: InstalledModel, order: Order, supervisor: Supervisor | None, say: Say
) -> Json:
    """Install a model; the caller holds the store's lock and has recovered it.

    Parameters
    ----------
    model : InstalledModel
        The name.
    order : Order
        What is to be installed.
    supervisor : Supervisor or None
        What runs the model.
    say : callable
        Called with a line for the user as it goes on.

    Returns
    -------
    dict
        What was done.

    Raises
    ------
    EdgesegError
        Something fell short; the model before is in use, and nothing else is left.
    """
    before = model.in_use()
    if before is not None and before[:64] == order.sha256 and _is_whole(model, before):
        return {**_told(model, before), "changed": False}
    key, is_new = _key_for(model, order.sha256)
    about = {
        "what": "install",
        "to": key,
        "from": before,
        "new": is_new,
        "run_by": None if supervisor is None else supervisor.to_dict(),
    }
    journal = Journal(model.journal, about)
    try:
        durable.make_folder(model.versions)
        journal.step(steps.BEGUN, source=shown(order.source), version=order.version)
    except OSError as error:
        raise OutputError(
            f"cannot write to {model.folder}: {reason_of(error)}"
        ) from error
    try:
        if is_new:
            _store(model, key, order, say)
        journal.step(steps.STORED)
        path = model.file(key)
        assert path is not None
        usable = before is not None and _is_whole(model, before)
        in_use = model.file(before) if before is not None and usable else None
        with naming(shown(order.source), path):
            found = try_model(path, in_use, model.pictures, order.conditions)
        say(_trial_text(found))
        journal.step(steps.TRIED, **found)
    except BaseException as error:
        _give_up(model, journal, error)
        raise
    try:
        switch(model, journal, key, supervisor, order.watch_s, say)
    except BaseException:
        _remove_new(model, key, is_new)
        raise
    _tidy(model, journal, {key, before}, order.keep)
    return {**_told(model, key), "changed": True, "before": before, **found}


def source_name(source: str) -> str:
    """Return the name that a model has by its file.

    Examples
    --------
    >>> source_name("https://models.example/door.tflite?x=1")
    'door'
    >>> source_name("a/yard.onnx")
    'yard'
    """
    path = unquote(urlsplit(source).path) if is_url(source) else source
    return PurePosixPath(path).stem


def _is_whole(model: InstalledModel, key: str) -> bool:
    path = model.file(key)
    return path is not None and sha256_of(path) == key[:64]


def _key_for(model: InstalledModel, sha256: str) -> tuple[str, bool]:
    """Return the version for a hash, and whether it has to be brought."""
    number, key = 0, sha256
    while (model.versions / key).exists():
        if _is_whole(model, key):
            return key, False
        number += 1
        key = f"{sha256}-{number}"
    return key, True


def _store(model: InstalledModel, key: str, order: Order, say: Say) -> None:
    """Bring a version's folder, whole or not at all."""
    path = urlsplit(order.source).path if is_url(order.source) else order.source
    suffix = PurePosixPath(path).suffix
    if suffix not in SUFFIXES:
        raise InputError(
            f"expected a model that ends in {' or '.join(SUFFIXES)}, got "
            f"{shown(order.source)}: edgeseg convert makes one of a Keras file"
        )
    folder = durable.temporary_beside(model.versions / key)
    folder.mkdir()
    try:
        name = f"{model.name}{suffix}"
        size, digest = fetch(order.source, folder / name)
        if digest != order.sha256:
            raise InputError(
                f"{shown(order.source)} has the sha256 {digest}, expected "
                f"{order.sha256}; nothing was kept: is it whole, and this version?"
            )
        say(f"sha256 is right: {shown(order.source)}, {size / 1e6:.1f} MB")
        signer = _checked_signer(model, folder / name, order)
        if signer:
            say(f"signed by {signer}")
        about = {
            "file": name,
            "sha256": digest,
            "bytes": size,
            "version": order.version or digest[:12],
            "source": shown(order.source),
            "signed_by": signer or None,
            "installed": datetime.now(timezone.utc).isoformat(timespec="microseconds"),
        }
        durable.write(folder / VERSION_FILE, json_text(about, indent=1).encode())
        durable.sync(folder)
        folder.rename(model.versions / key)
        durable.sync(model.versions)
    except BaseException as error:
        if folder.exists():
            durable.remove_folder(folder)
        if isinstance(error, OSError) and not isinstance(error, EdgesegError):
            raise OutputError(
                f"cannot write to {model.versions}: {reason_of(error)}"
            ) from error
        raise


def _checked_signer(model: InstalledModel, path: Path, order: Order) -> str:
    """Return who signed a model; empty where nobody asks."""
    asked = model.folder.parent / SIGNERS
    signers = order.signers or (asked if asked.exists() else None)
    if signers is None:
        return ""
    source = order.signature or _beside(order.source)
    target = durable.temporary_beside(path)
    try:
        fetch(source, target, largest=LARGEST_SIGNATURE)
        return check_signature(path, target, signers)
    finally:
        target.unlink(missing_ok=True)


def _beside(source: str) -> str:
    """Return where the signature of a source is, if nobody says."""
    if not is_url(source):
        return source + SUFFIX
    parts = urlsplit(source)
    return parts._replace(path=parts.path + SUFFIX).geturl()


def _give_up(model: InstalledModel, journal: Journal, error: BaseException) -> None:
    to, is_new = journal.about["to"], journal.about["new"]
    _remove_new(model, to, is_new)
    try:
        reason = one_line(error) or type(error).__name__
        journal.step(steps.REFUSED, reason=reason)
    except OSError:  # a full disk; the next command does it
        return
    if not model.present() and model.in_use() is None and not model.pictures.is_dir():
        durable.remove_folder(model.folder)  # the name was never installed


def _remove_new(model: InstalledModel, key: str, is_new: bool) -> None:
    if is_new and (model.versions / key).is_dir() and model.in_use() != key:
        durable.remove_folder(model.versions / key)


def _tidy(
    model: InstalledModel, journal: Journal, used: set[str | None], keep: int
) -> None:
    """Remove damaged versions, and of more than stay those not used for longest."""
    for name in os.listdir(model.versions):
        if name != model.in_use() and not _is_whole(model, name):
            durable.remove_folder(model.versions / name)
    kept = [s["to"] for s in read_steps(model.journal) if s["step"] == steps.KEPT]
    present = model.present()
    order = dict.fromkeys(key for key in [*reversed(kept), *present] if key in present)
    for key in list(order)[keep:]:
        if key not in used:
            durable.remove_folder(model.versions / key)
    journal.shorten()


def _told(model: InstalledModel, key: str) -> Json:
    about = model.about(key)
    return {
        "name": model.name,
        "version": about.get("version"),
        "sha256": about.get("sha256"),
        "path": str(model.link / about.get("file", "")),
    }


def _trial_text(found: Json) -> str:
    parts = ["runs here"]
    if "agreement" in found:
        parts.append(
            f"{found['agreement']:.2%} of the labels of {found['pictures']} pictures "
            f"are those of {found['against']}"
        )
    if "new_p90_ms" in found:
        parts.append(
            f"p90 {found['new_p90_ms']:.1f} ms, the model in use "
            f"{found['old_p90_ms']:.1f} ms"
        )
    return "; ".join(parts)
