"""The live page: results in a browser, and for other programs over HTTP."""

from edgeseg.runtime.web.address import WebAddress, hide_token

__all__ = ["WebAddress", "hide_token"]
