"""The live page: results in a browser, and for other programs over HTTP."""

from edgeseg.runtime.web.address import Address, hide_token

__all__ = ["Address", "hide_token"]
