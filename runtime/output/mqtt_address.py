"""Addresses of outputs: ``SCHEME://[USER[:PASSWORD]@]HOST[:PORT][/PATH][?OPTIONS]``."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from edgeseg.devices import InputError
from edgeseg.devices.plain_text import encodable, hide_credentials


@dataclass(frozen=True)
class BrokerAddress:
    """The parts of an address; user and password are left out of its text.

    Parameters
    ----------
    host : str
        Name or number, an IPv6 one without brackets.
    port : int or None
        None where none is given.
    path : str
        Without the slash before it.
    user, password : str or None
        Decoded.
    options : dict of str to str
        What follows the question mark.
    """

    host: str
    port: int | None
    path: str = ""
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    options: dict[str, str] = field(default_factory=dict, repr=False)


def parse_address(text: str, expected: str) -> BrokerAddress:
    """Take an address apart.

    Parameters
    ----------
    text : str
        The address.
    expected : str
        An example, for messages.

    Raises
    ------
    InputError
        There is no host, or the port is no number of 1 to 65535.

    Examples
    --------
    >>> parse_address("mqtt://eve:s%40cret@broker:1884/cam", "mqtt://HOST")
    BrokerAddress(host='broker', port=1884, path='cam')
    """
    text = encodable(text)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if (
        not host
        or port == 0
        or not _is_name(host)
        or any(c.isspace() or c in "\"'!" for c in host)
    ):
        raise InputError(
            f"expected an address such as {expected}, got {hide_credentials(text)}"
        )
    return BrokerAddress(
        host=host,
        port=port,
        path=unquote(parts.path.strip("/")),
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
        options=dict(parse_qsl(parts.query, keep_blank_values=True)),
    )


def _is_name(host: str) -> bool:
    """Return whether a host's name can be looked up."""
    try:
        host.encode("idna")
    except UnicodeError:  # a part that is empty, or longer than 63 bytes
        return False
    return True
