"""Where a browser finds a run's page, for the link that Home Assistant shows."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeseg.devices.types import Json


def page_of(outputs: Mapping[str, Json], own_host: str) -> str:
    """Return the page's address as others reach it; empty where they do not.

    Parameters
    ----------
    outputs : mapping of str to dict
        States of the run's outputs; that of a page has its ``url``.
    own_host : str
        This machine's address in the network, in place of one such as ``0.0.0.0``;
        empty where unknown.

    Examples
    --------
    >>> page = {"web:": {"connected": True, "url": "http://0.0.0.0:8080/"}}
    >>> page_of(page, "192.168.1.20")
    'http://192.168.1.20:8080/'
    >>> page_of({"web:": {"connected": True, "url": "http://127.0.0.1:80/"}}, "")
    ''
    """
    urls = [state["url"] for state in outputs.values() if state.get("url")]
    if not urls:
        return ""
    parts = urlsplit(urls[0])
    host = parts.hostname or ""
    if _is_any(host):
        host = own_host
    if not host or _is_loopback(host):
        return ""
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}:{parts.port}{parts.path}"


def _is_any(host: str) -> bool:
    return host in ("0.0.0.0", "::", "0:0:0:0:0:0:0:0")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
