"""A new model as a fleet is told of it: a JSON object, checked to the last key."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from edgeseg.devices import InputError
from edgeseg.devices.plain_text import is_printable, printable
from edgeseg.runtime.installation.fetching import check_sha256, is_url
from edgeseg.runtime.installation.store import check_name

_LONGEST = 8192  # bytes
_LONGEST_VERSION = 64
_NEEDED = ("name", "url", "sha256", "version")
_KNOWN = (*_NEEDED, "signature")


@dataclass(frozen=True)
class Announcement:
    """What is offered.

    Parameters
    ----------
    name : str
        Under which it is to be installed.
    url : str
        Where the file is, by HTTP or HTTPS.
    sha256 : str
        Of the file, in lower case.
    version : str
        What its maker calls it.
    signature : str
        Where its signature is; empty for the model's address with ``.sig``.
    """

    name: str
    url: str
    sha256: str
    version: str
    signature: str = ""

    @classmethod
    def parse(cls, payload: str) -> Announcement:
        """Read what was published.

        Raises
        ------
        InputError
            It is something else; the message says what was expected.

        Examples
        --------
        >>> Announcement.parse('{"name": "door"}')
        Traceback (most recent call last):
        ...
        edgeseg.devices.errors.InputError: expected an announcement with name, url, ...
        """
        values = _object(payload)
        missing = [key for key in _NEEDED if key not in values]
        unknown = sorted(values.keys() - set(_KNOWN))
        texts = all(isinstance(value, str) for value in values.values())
        if missing or unknown or not texts:
            wrong = "texts only" if not (missing or unknown) else f"no {missing}"
            wrong = f"unknown {unknown}" if unknown else wrong
            raise InputError(
                f"expected an announcement with {', '.join(_NEEDED)} and perhaps "
                f"signature, got {printable(wrong, 80)}"
            )
        for key in ("url", "signature"):
            if key in values and not _is_address(values[key]):
                raise InputError(f"{key}: expected https:// or http://")
        version = values["version"]
        if not (0 < len(version) <= _LONGEST_VERSION and is_printable(version)):
            raise InputError(
                f"version: expected 1 to {_LONGEST_VERSION} characters, got "
                f"{printable(version, 80)!r}"
            )
        return cls(
            check_name(values["name"]),
            values["url"],
            check_sha256(values["sha256"]),
            version,
            values.get("signature", ""),
        )


def _object(payload: str) -> dict[str, str]:
    try:
        values = json.loads(payload) if len(payload) <= _LONGEST else None
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise InputError(
            f"expected an announcement: a JSON object of at most {_LONGEST} bytes"
        )
    return values


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return is_url(text) and bool(parts.hostname) and is_printable(text)
    except ValueError:
        return False
