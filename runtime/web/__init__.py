"""The live page: results in a browser, and for other programs over HTTP."""

from edgeseg.runtime.web.address import WebAddress

__all__ = ["WebAddress"]
