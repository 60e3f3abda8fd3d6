"""Where installed models are: a folder a name, and in it a link to the one in use.

::

    STORE/.lock                               held by who changes anything here
    STORE/door/current -> versions/3f2a...    what a run opens
    STORE/door/versions/3f2a.../door.tflite   a version, named by its SHA-256
    STORE/door/versions/3f2a.../version.json  where it is from, and when it came
    STORE/door/journal.jsonl                  what was done, step by step
    STORE/door/pictures/                      the user's, to compare labels on
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, OutputError
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.installation import durable
from edgeseg.runtime.installation.journal import read_steps, valid_version
from edgeseg.runtime.installation.lock import is_locked

if TYPE_CHECKING:
    from edgeseg.devices.types import Json

VARIABLE = "EDGESEG_MODELS"
MACHINE = Path("/var/lib/edgeseg/models")
VERSION_FILE = "version.json"
_LINK, _VERSIONS, _JOURNAL = "current", "versions", "journal.jsonl"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
# a second folder for one file's hash is made only where the first is damaged
_KEY = re.compile(r"[0-9a-f]{64}(-[0-9]{1,3})?")


def store_folder() -> Path:
    """Return the folder that this user installs to.

    That of ``EDGESEG_MODELS``; else the machine's for root, and the user's data for
    everybody else (XDG Base Directory Specification).

    Raises
    ------
    OutputError
        The user has no home folder.
    """
    if given := os.environ.get(VARIABLE):
        return Path(given).absolute()
    if os.geteuid() == 0:
        return MACHINE
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    try:
        return Path(data).expanduser() / "edgeseg" / "models"
    except RuntimeError as error:
        raise OutputError(
            f"this user has no home folder for models: set {VARIABLE}"
        ) from error


def check_name(name: str) -> str:
    """Return a name that a model can be installed by.

    Raises
    ------
    InputError
        It is none.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            "expected a name of at most 64 letters, digits, '_' and '-' for the model, "
            f"got {name!r}: --name gives it another"
        )
    return name


def is_key(name: str) -> bool:
    """Return whether a folder of versions may have this name."""
    return _KEY.fullmatch(name) is not None


@dataclass(frozen=True)
class InstalledModel:
    """One name of a store.

    Parameters
    ----------
    folder : Path
        Its folder, which may not be there yet.
    """

    folder: Path

    @property
    def name(self) -> str:
        """What the user types."""
        return self.folder.name

    @property
    def link(self) -> Path:
        """Leads to the folder of the version in use."""
        return self.folder / _LINK

    @property
    def journal(self) -> Path:
        """File of the steps."""
        return self.folder / _JOURNAL

    @property
    def pictures(self) -> Path:
        """Folder of pictures to compare labels on, which the user fills."""
        return self.folder / "pictures"

    @property
    def versions(self) -> Path:
        """Folder of the versions."""
        return self.folder / _VERSIONS

    def in_use(self) -> str | None:
        """Return the version that the link leads to, None where there is no link."""
        try:
            target = os.readlink(self.link)
        except OSError:
            return None
        head, _, key = target.rpartition("/")
        found = head == _VERSIONS and _KEY.fullmatch(key) and self.file(key)
        return key if found else None

    def use(self, key: str | None) -> None:
        """Let the link lead to a version, in one step; None takes the link away."""
        if key is not None:
            durable.point(self.link, f"{_VERSIONS}/{key}")
        elif self.link.is_symlink():
            self.link.unlink()
            durable.sync(self.folder)

    def forget(self) -> None:
        """Remove the name, once nothing is installed; what the user put there stays."""
        self.journal.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # not empty
            self.versions.rmdir()
            self.folder.rmdir()
            durable.sync(self.folder.parent)

    def present(self) -> list[str]:
        """Return the versions that are there, the newest first."""
        try:
            names = [name for name in os.listdir(self.versions) if _KEY.fullmatch(name)]
        except FileNotFoundError:
            return []
        whole = [name for name in names if self.file(name) is not None]
        return sorted(whole, key=lambda k: self.about(k).get("installed", ""))[::-1]

    def about(self, key: str) -> Json:
        """Return what is known of a version; empty where it is not there."""
        try:
            values = json.loads((self.versions / key / VERSION_FILE).read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return values if isinstance(values, dict) else {}

    def file(self, key: str) -> Path | None:
        """Return a version's model file, None where there is none."""
        name = self.about(key).get("file")
        if not isinstance(name, str) or "/" in name:
            return None
        path = self.versions / key / name
        return path if path.is_file() else None

    def model(self) -> Path | None:
        """Return the model file that a run takes now.

        Where a power cut has interrupted an update between two versions, that is the
        one before, even before anybody has put the link back.
        """
        key = self.in_use()
        steps = read_steps(self.journal)
        valid = valid_version(steps[-1] if steps else None)
        if valid is not None and valid != key and not is_locked(self.folder.parent):
            key = valid if self.file(valid) is not None else key
        return None if key is None else self.file(key)


def installed_models(store: Path) -> list[InstalledModel]:
    """Return what a store holds, by name."""
    try:
        names = sorted(os.listdir(store))
    except FileNotFoundError:
        return []
    models = [InstalledModel(store / name) for name in names if _NAME.fullmatch(name)]
    return [model for model in models if model.folder.is_dir()]


def find_installed(model: Path | str) -> Path | None:
    """Return the file of a model that is given by its installed name, or by its link.

    Parameters
    ----------
    model : Path or str
        A name, looked for in this user's store and then the machine's; or a path
        through a name's link ``current``.
    """
    text = os.fspath(model)
    if _NAME.fullmatch(text):
        return _in_stores(text)
    parent = Path(text).absolute().parent
    if parent.name != _LINK or not parent.is_symlink():
        return None
    return InstalledModel(parent.parent).model()


def _in_stores(name: str) -> Path | None:
    """Return the file of a name in the first store that has it.

    A store that this user may not read is passed over, unless no other has the name.
    """
    refused = None
    for store in _stores():
        try:
            found = InstalledModel(store / name).model()
        except PermissionError as error:
            refused = error
            continue
        if found is not None:
            return found
    if refused is not None:
        raise InputError(
            f"cannot read the installed model {name}: {reason_of(refused)}: "
            f"{refused.filename}; it needs the rights of who has installed it"
        ) from refused
    return None


def installed_names() -> tuple[str, ...]:
    """Return the names that `find_installed` finds."""
    found: dict[str, None] = {}
    for store in _stores():
        with contextlib.suppress(PermissionError):
            usable = [m.name for m in installed_models(store) if m.model() is not None]
            found |= dict.fromkeys(usable)
    return tuple(found)


def _stores() -> list[Path]:
    """Return where names are looked for."""
    if os.environ.get(VARIABLE):
        return [store_folder()]
    try:
        own = [store_folder()]
    except OutputError:
        own = []
    return own if MACHINE in own else [*own, MACHINE]
