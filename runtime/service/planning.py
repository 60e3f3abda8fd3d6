"""From a configuration to the unit that fits it and this machine."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, OutputError
from edgeseg.runtime.service.config import load_config
from edgeseg.runtime.service.install import (
    device_groups,
    this_program,
    user_namespaces,
)
from edgeseg.runtime.service.unit import Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

_MEMORY = re.compile(r"\d{1,12}[KMGT]?|infinity")


def plan_unit(
    config: Path,
    *,
    system: bool,
    run_as: str | None,
    memory_max: str,
    watchdog: int,
) -> Unit:
    """Return the unit for a configuration file.

    Parameters
    ----------
    config : Path
        The file; it is checked first.
    system : bool
        For the machine's manager.
    run_as : str or None
        Whom a system service runs as; None is who called ``sudo``.
    memory_max : str
        Limit of memory.
    watchdog : int
        Seconds without a finished frame.

    Raises
    ------
    InputError
        The configuration or a value is not usable.
    """
    values = load_config(config)
    for key in ("model", "source"):
        if key not in values:
            raise InputError(f"{config}: the key {key!r} is missing")
    if not _MEMORY.fullmatch(memory_max):
        raise InputError(
            f"--memory-max: expected bytes with K, M, G or T, such as 1G; got "
            f"{memory_max!r}"
        )
    user = _user(system, run_as)
    return Unit(
        this_program(),
        config.absolute(),
        output_folders(values.get("outputs", ())),
        system=system,
        user=user,
        groups=device_groups() if user not in (None, "root") else (),
        coral="edgetpu" in str(values.get("device", "")),
        namespaces=system or user_namespaces(),
        memory_max=memory_max,
        watchdog_s=watchdog,
    )


def output_folders(outputs: Sequence[str]) -> tuple[Path, ...]:
    """Return the folders that files are written to.

    Examples
    --------
    >>> [str(path) for path in output_folders(["web:", "/a/clip.mp4", "masks:/b/ids"])]
    ['/a', '/b/ids']
    """
    found = set()
    for text in outputs:
        name, colon, rest = text.partition(":")
        path = Path(rest if colon and name.isidentifier() else text)
        if path.is_absolute() and not rest.startswith("//"):
            found.add(path.parent if path.suffix else path)
    return tuple(sorted(found))


def make_folders(unit: Unit) -> None:
    """Make the folders that a unit writes to: systemd wants them to be there.

    Raises
    ------
    OutputError
        One cannot be made.
    """
    for folder in unit.writable:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make {folder}: {error.strerror}") from error


def _user(system: bool, run_as: str | None) -> str | None:
    if not system:
        if run_as is not None:
            raise InputError("--run-as needs --system: a user's service runs as them")
        return None
    name = run_as or os.environ.get("SUDO_USER") or "root"
    import pwd

    try:
        return pwd.getpwnam(name).pw_name
    except KeyError as error:
        raise InputError(f"--run-as: there is no user {name!r} here") from error
