"""Addresses as they may be told: without user, password and query."""

from __future__ import annotations

import re

_USER = re.compile(r"(?<=://)[^/\s?#\"']*@")
_QUERY = re.compile(r"(://[^\s?\"']*\?)[^\s\"']*")


def hide_credentials(text: str) -> str:
    """Return a text with the secrets of every address in it left out.

    Parameters
    ----------
    text : str
        An address, or a message that may hold addresses.

    Examples
    --------
    >>> hide_credentials("cannot open rtsp://eve:s3cret@10.0.0.7/live?token=42: no")
    'cannot open rtsp://10.0.0.7/live?...'
    """
    return _QUERY.sub(r"\1...", _USER.sub("", text))
