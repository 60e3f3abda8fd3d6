"""What may follow an MQTT address: ``?every=2&name=Front door&snapshot=10``."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from edgeseg.devices import InputError
from edgeseg.devices.plain_files import check_file_or_folder
from edgeseg.runtime.output.mqtt_discovery import check_length
from edgeseg.runtime.output.secret_files import read_secret

if TYPE_CHECKING:
    from edgeseg.runtime.output.mqtt_address import BrokerAddress

PASSWORD_VARIABLE = "EDGESEG_MQTT_PASSWORD"
_LONGEST_S = 3600.0
_SHORTEST_SNAPSHOT_S = 1.0


@dataclass(frozen=True)
class MqttOptions:
    """The options of an address.

    Parameters
    ----------
    every : float
        Seconds between two states at least.
    discovery : str
        Home Assistant's prefix.
    name : str
        The device's name; empty for the last part of the prefix.
    password_file : str
        File of the password; empty for none.
    cafile : Path or None
        Certificates that are trusted in place of the system's.
    snapshot : float or None
        Seconds between two pictures at least; None for no pictures.
    control : bool
        Obey what is published to the topics for commands.
    page : str
        Address of the run's page for a browser; empty where it is to be found out.
    update : str
        Topic of a fleet's announcements, for `edgeseg model follow`; empty for none.
    """

    every: float = 1.0
    discovery: str = "homeassistant"
    name: str = ""
    password_file: str = ""
    cafile: Path | None = None
    snapshot: float | None = None
    control: bool = False
    page: str = ""
    update: str = ""

    @classmethod
    def of(cls, address: BrokerAddress, *, tls: bool) -> MqttOptions:
        """Read the options of an address.

        Parameters
        ----------
        address : BrokerAddress
            Has them as text.
        tls : bool
            Whether the connection is encrypted.

        Raises
        ------
        InputError
            One is unknown, or has a wrong value.
        """
        values = address.options
        known = [field.name for field in fields(cls)]
        if unknown := values.keys() - set(known):
            raise InputError(
                f"mqtt: unknown option {min(unknown)!r}; known: {', '.join(known)}"
            )
        snapshot = values.get("snapshot", "")
        return cls(
            every=_seconds("every", values.get("every", "1"), 0),
            discovery=values.get("discovery", cls.discovery).strip("/"),
            name=values.get("name", ""),
            password_file=values.get("password_file", ""),
            cafile=_cafile(values.get("cafile", ""), tls),
            snapshot=_seconds("snapshot", snapshot, _SHORTEST_SNAPSHOT_S)
            if snapshot
            else None,
            control=_yes("control", values.get("control", "no")),
            page=_page(values.get("page", "")),
            update=values.get("update", "").strip("/"),
        )


def with_password(address: BrokerAddress, file: str) -> BrokerAddress:
    """Return an address with the password that a file or the environment holds.

    Raises
    ------
    InputError
        The file cannot be used, there is no user for it, or user or password is longer
        than MQTT can send.
    """
    password = address.password
    if file:
        if address.user is None or password is not None:
            raise InputError(
                "mqtt: password_file: expected a user without a password before the "
                "host, such as mqtt://user@homeassistant.local"
            )
        password = read_secret(file, "MQTT password")
    elif address.user is not None and password is None:
        password = os.environ.get(PASSWORD_VARIABLE)
    for what, text in (("user", address.user), ("password", password)):
        check_length(f"mqtt: the {what}", text or "")
    return replace(address, password=password)


def _cafile(text: str, tls: bool) -> Path | None:
    """Return the file of certificates that the address names.

    Raises
    ------
    InputError
        Nothing is encrypted that it could be for, or it is no file.
    """
    if not text:
        return None
    if not tls:
        raise InputError("mqtt: cafile: expected mqtts://, which encrypts")
    check_file_or_folder(text)
    return Path(text)


def _seconds(option: str, text: str, least_s: float) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not least_s <= seconds <= _LONGEST_S:
        raise InputError(
            f"mqtt: {option}: expected seconds, {least_s:g} to {_LONGEST_S:g}, got "
            f"{text!r}"
        )
    return seconds


def _yes(option: str, text: str) -> bool:
    if text not in ("yes", "no"):
        raise InputError(f"mqtt: {option}: expected yes or no, got {text!r}")
    return text == "yes"


def _page(text: str) -> str:
    """Return a page's address; Home Assistant refuses a device that has another."""
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname)
        valid = valid and (parts.port is None or parts.port > 0)
    except ValueError:
        valid = False
    if not valid or re.search(r"\s", text):
        raise InputError(
            "mqtt: page: expected the page's address such as "
            f"https://home.example/door/, got {text!r}"
        )
    return text
