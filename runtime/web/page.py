"""The page, and what it may load: nothing but what this server gives."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib import resources

_FOLDER = resources.files("edgeseg.runtime.web")


def load_page(name: str = "page.html") -> tuple[str, str]:
    """Return a page and its content security policy.

    The policy names the hashes of the page's own style and script, so that the browser
    runs nothing that was put in from elsewhere.

    Parameters
    ----------
    name : str
        The page's file.

    Returns
    -------
    html, policy : str
        The page; the value of the header ``Content-Security-Policy``.
    """
    html = (_FOLDER / name).read_text("utf-8")
    policy = (
        f"default-src 'none'; script-src {_hash(html, 'script')}; "
        f"style-src {_hash(html, 'style')}; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'"  # Home Assistant shows it in a frame of its own host
    )
    return html, policy


# two areas and their border: the page's icon in a browser's tab
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<rect width="32" height="32" rx="7" fill="#1d5fd1"/>'
    '<path d="M0 21 C9 13 14 26 32 14 V25 a7 7 0 0 1-7 7 H7 a7 7 0 0 1-7-7Z" '
    'fill="#fff" fill-opacity=".88"/></svg>'
)


def load_openapi() -> str:
    """Return the description of the interface, as JSON text."""
    return (_FOLDER / "openapi.json").read_text("utf-8")


def _hash(html: str, tag: str) -> str:
    content = "".join(re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL))
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
