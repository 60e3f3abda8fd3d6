"""What a proxy in front of the page says about a request, where it is believed."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.devices import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

# Home Assistant's ingress has a name of its own for the prefix
_PREFIX_HEADERS = ("x-forwarded-prefix", "x-ingress-path")
_PREFIX = re.compile(r"(/[A-Za-z0-9._~%-]+)+/?")


@dataclass(frozen=True)
class Proxies:
    """Addresses whose forwarded headers are believed.

    Parameters
    ----------
    networks : tuple of IPv4Network or IPv6Network
        Empty: nobody is believed.
    """

    networks: tuple[Network, ...] = ()

    @classmethod
    def from_text(cls, text: str) -> Proxies:
        """Read addresses and networks with commas between them.

        Raises
        ------
        InputError
            One of them is neither.

        Examples
        --------
        >>> "10.1.2.3" in Proxies.from_text("127.0.0.1,10.0.0.0/8")
        True
        >>> "192.168.1.1" in Proxies.from_text("127.0.0.1,10.0.0.0/8")
        False
        """
        return cls(tuple(_network(part) for part in text.split(",") if part))

    @property
    def has_loopback(self) -> bool:
        """Whether one of them may be on this machine."""
        own = ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1")
        return any(
            one.version == each.version and one.overlaps(each)
            for one in own
            for each in self.networks
        )

    def __contains__(self, address: str) -> bool:
        """Return whether an address is one of theirs."""
        try:
            host = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        # a socket for IPv6 and IPv4 shows the latter as ::ffff:10.1.2.3
        host = getattr(host, "ipv4_mapped", None) or host
        return any(host in network for network in self.networks)


@dataclass(frozen=True)
class Forwarded:
    """How a request was before a proxy passed it on; without one, as it came.

    Parameters
    ----------
    client : str
        Address of who asked.
    by_proxy : bool
        A proxy that is believed has passed it on.
    is_https : bool
        It was encrypted.
    host : str or None
        Name and port that the client asked for; None where the proxy keeps it back.
    prefix : str
        Path under which the proxy shows the page; empty where it says nothing.
    """

    client: str
    by_proxy: bool = False
    is_https: bool = False
    host: str | None = None
    prefix: str = ""

    @classmethod
    def of(cls, peer: str, headers: Mapping[str, str], proxies: Proxies) -> Forwarded:
        """Read the headers of a request.

        Parameters
        ----------
        peer : str
            Address at the other end of the connection.
        headers : mapping of str to str
            By names in lower case.
        proxies : Proxies
            Who is believed.
        """
        if peer not in proxies:
            return cls(peer, host=headers.get("host"))
        prefixes = (headers.get(name, "") for name in _PREFIX_HEADERS)
        prefix = next((p for p in prefixes if _PREFIX.fullmatch(p)), "")
        return cls(
            _client(peer, headers.get("x-forwarded-for", ""), proxies),
            by_proxy=True,
            is_https=_first(headers.get("x-forwarded-proto", "")).lower() == "https",
            host=_first(headers.get("x-forwarded-host", "")) or None,
            prefix=prefix.rstrip("/"),
        )


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text.strip())
    except ValueError as error:
        raise InputError(
            "web: proxies: expected addresses or networks such as "
            f"127.0.0.1,10.0.0.0/8, got {text!r}"
        ) from error


def _client(peer: str, chain: str, proxies: Proxies) -> str:
    """Return the last address of a chain that is no proxy: each adds whom it saw."""
    for address in reversed([part.strip() for part in chain.split(",")]):
        try:
            ipaddress.ip_address(address)
        except ValueError:
            return peer  # what follows was written by whoever wrote this
        if address not in proxies:
            return address
        peer = address
    return peer


def _first(header: str) -> str:
    """Return what the outermost proxy saw, where several have added their word."""
    return header.partition(",")[0].strip()
