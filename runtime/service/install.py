"""From a configuration to a unit of this machine; writing, asking for, deleting it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.devices import DEVICES, InputError, OutputError
from edgeseg.devices.address import nodes_of, parse_address
from edgeseg.devices.open import automatic_device
from edgeseg.devices.plain_text import reason_of
from edgeseg.runtime.capture.open import find_source
from edgeseg.runtime.output.open import find_sink
from edgeseg.runtime.pictures.atomic import write_text
from edgeseg.runtime.service.folders import output_folders
from edgeseg.runtime.service.unit import MARK, ServiceUnit
from edgeseg.runtime.shipped import find_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeseg.devices.types import Json
    from edgeseg.runtime.address import Address

SYSTEM_FOLDER = Path("/etc/systemd/system")
_LIMIT_S = 30.0
_MEMORY = re.compile(r"\d{1,12}[KMGT]?|infinity")
# own the files of cameras, GPUs, devices on USB, Corals on PCI Express
_GROUPS = ("video", "render", "plugdev", "apex")


@dataclass(frozen=True)
class Place:
    """Where a service lives.

    Parameters
    ----------
    name : str
        Of the service, without ``.service``.
    system : bool
        The machine's services instead of this user's.
    """

    name: str
    system: bool = False

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", self.name):
            raise InputError(
                f"expected a service name of letters, digits, '.', '_' and '-', got "
                f"{self.name!r}"
            )

    @property
    def path(self) -> Path:
        """The unit's file."""
        if self.system:
            return SYSTEM_FOLDER / f"{self.name}.service"
        home = os.environ.get("XDG_CONFIG_HOME")
        try:
            config = Path(home) if home else Path.home() / ".config"
        except RuntimeError as error:
            raise OutputError(
                "this user has no home folder for a service: set XDG_CONFIG_HOME, or "
                "take --system"
            ) from error
        return config / "systemd" / "user" / f"{self.name}.service"

    @property
    def systemctl(self) -> tuple[str, ...]:
        """What starts ``systemctl`` for this kind of service."""
        return ("systemctl",) if self.system else ("systemctl", "--user")


def write_unit(place: Place, text: str, *, overwrite: bool = False) -> bool:
    """Write a unit's file, whole or not at all; return whether it was another.

    Raises
    ------
    OutputError
        It cannot be written, or another's unit of that name is there.
    """
    if not overwrite and place.path.exists() and not is_ours(place):
        raise OutputError(
            f"{place.path} was not written by edgeseg: choose another --name, or "
            "--overwrite it"
        )
    if place.path.is_file() and place.path.read_bytes() == text.encode():
        return False
    write_text(place.path, text)
    return True


def is_ours(place: Place) -> bool:
    """Return whether the unit of that name was written by this program."""
    try:
        return place.path.read_text("utf-8", "replace").startswith(MARK)
    except OSError:
        return False


def check_ours(place: Place) -> None:
    """Raise unless the unit is there and was written by this program.

    Raises
    ------
    InputError, OutputError
        There is none; it is another's.
    """
    if not place.path.exists():
        raise InputError(f"there is no service {place.name}: {place.path} is missing")
    if not is_ours(place):
        raise OutputError(f"{place.path} was not written by edgeseg: it stays")


def delete_unit(place: Place) -> None:
    """Delete a unit's file.

    Raises
    ------
    OutputError
        It cannot be deleted.
    """
    try:
        place.path.unlink()
    except OSError as error:
        raise OutputError(f"cannot delete {place.path}: {reason_of(error)}") from error


def ask_systemd(place: Place, *arguments: str) -> tuple[bool, str]:
    """Call ``systemctl``.

    Returns
    -------
    bool, str
        Whether it did what it was asked; what it said, or why it could not be asked.
    """
    if shutil.which("systemctl") is None:
        return False, "systemctl is not installed"
    try:
        done = subprocess.run(
            [*place.systemctl, *arguments],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False, f"systemctl gave no answer in {_LIMIT_S:.0f} s"
    said = (done.stdout if done.returncode == 0 else done.stderr or done.stdout).strip()
    return done.returncode == 0, said


def this_program() -> tuple[str, ...]:
    """Return what starts ``edgeseg`` with this very interpreter and package."""
    script = Path(sys.executable).with_name("edgeseg")
    if script.is_file():
        return (str(script),)
    return (sys.executable, "-c", "from edgeseg.runtime.cli import main; main()")


def device_groups(plugins: Sequence[Address] = ()) -> tuple[str, ...]:
    """Return the groups of this machine that own devices' files."""
    import grp

    there = {entry.gr_name for entry in grp.getgrall()}
    more = [name for address in plugins for name in address.kind.groups]
    return tuple(name for name in dict.fromkeys((*_GROUPS, *more)) if name in there)


def user_namespaces(root: Path = Path("/")) -> bool:
    """Return whether users may make namespaces, which a user's sandbox is made of."""
    folder = root / "proc/sys"
    refusals = {
        "kernel/unprivileged_userns_clone": "0",  # Debian's switch
        "kernel/apparmor_restrict_unprivileged_userns": "1",  # Ubuntu's, since 24.04
        "user/max_user_namespaces": "0",
    }
    for name, refusal in refusals.items():
        path = folder / name
        if path.is_file() and path.read_text("ascii", "replace").strip() == refusal:
            return False
    return True


def plan_unit(
    config: Path,
    values: Json,
    cameras: Sequence[Json] = (),
    *,
    system: bool,
    run_as: str | None,
    memory_max: str,
    watchdog: int,
) -> ServiceUnit:
    """Return the unit for a configuration file.

    Parameters
    ----------
    config : Path
        The configuration file.
    values : mapping of str to object
        What it holds, checked, by the names of the parameters of ``edgeseg run``.
    cameras : sequence of dict
        What each camera of the file has for itself; empty where it is one run.
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
    for key in ("model", "source"):
        if key not in values:
            raise InputError(f"{config}: the key {key!r} is missing")
    if not _MEMORY.fullmatch(memory_max):
        raise InputError(
            f"--memory-max: expected bytes with K, M, G or T, such as 1G; got "
            f"{memory_max!r}"
        )
    user = _user(system, run_as)
    runs = cameras or [values]
    outputs = [find_sink(text) for run in runs for text in run.get("outputs", ())]
    sources = [find_source(run["source"]) for run in runs]
    plugins = [*outputs, *(source for source in sources if source is not None)]
    model = find_model(values["model"])
    return ServiceUnit(
        this_program(),
        config.absolute(),
        output_folders(outputs),
        system=system,
        user=user,
        groups=device_groups(plugins) if user not in (None, "root") else (),
        nodes=(
            *device_nodes(str(values.get("device", "auto")), model),
            *(node for address in plugins for node in address.nodes),
        ),
        namespaces=system or user_namespaces(),
        memory_max=memory_max,
        watchdog_s=watchdog,
    )


def device_nodes(device: str, model: Path) -> tuple[str, ...]:
    """Return the device files that an inference opens, as ``DeviceAllow=`` takes them.

    Parameters
    ----------
    device : str
        Device string; ``auto`` is what it means on this machine.
    model : Path
        The model that is to run.

    Raises
    ------
    UnknownPluginError
        No such device, or the device has no such unit.

    Examples
    --------
    >>> device_nodes("coral:usb:0", Path("model.tflite"))
    ('char-usb_device',)
    """
    name = automatic_device(model) if device == "auto" else device
    return nodes_of(parse_address(name, DEVICES), DEVICES)


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
