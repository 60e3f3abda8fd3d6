"""Plots and pictures that a page holds itself: SVG, PNG and JPEG in data URIs.

Plots are Figure objects without pyplot, black on white, on a dark page too.
"""

from __future__ import annotations

import base64
import io
import math
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

_WIDTH = 5.6  # inches: text of 8 points stays legible on a phone


def new_figure(height: float) -> tuple[Figure, Axes]:
    """Return a figure 5.6 inches wide and its axes.

    Parameters
    ----------
    height : float
        In inches.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.xaxis.label.set_fontsize(8)
    axes.yaxis.label.set_fontsize(8)
    axes.grid(axis="x", linewidth=0.3)
    axes.set_axisbelow(True)
    return figure, axes


def svg_uri(figure: Figure) -> str:
    """Return a figure as SVG in a data URI; the same figures give the same text."""
    import matplotlib as mpl

    content = io.BytesIO()
    # a fixed salt and no date: the same figures give the same file
    settings = {"svg.hashsalt": "edgeseg", "svg.fonttype": "path"}
    with mpl.rc_context(settings), warnings.catch_warnings():
        # a record's label may be longer than the figure: it is drawn then, cut off
        warnings.simplefilter("ignore", UserWarning)
        figure.savefig(content, format="svg", metadata={"Date": None})
    return data_uri("image/svg+xml", content.getvalue())


def is_finite(value: object) -> bool:
    """Return whether a value is a number that can be drawn."""
    return isinstance(value, (int, float)) and math.isfinite(value)


def shorten_middle(name: str, longest: int = 44) -> str:
    """Return a name without its middle where it is long: both ends identify a layer.

    Examples
    --------
    >>> shorten_middle("deeplab_mobilenet_v2", 11)
    'deep...t_v2'
    """
    if len(name) <= longest:
        return name
    half = (longest - 3) // 2
    return f"{name[:half]}...{name[-half:]}"


def plain_text(text: str) -> str:
    """Return text as a plot draws it: no formula after a dollar, no missing glyph."""
    return text.replace("$", r"\$").encode("latin-1", "replace").decode("latin-1")


def jpeg_uri(frame: NDArray[np.uint8]) -> str:
    """Return a photo ``(H, W, 3)`` uint8 RGB as JPEG in a data URI."""
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(frame).save(content, "JPEG", quality=85)
    return data_uri("image/jpeg", content.getvalue())


def png_uri(frame: NDArray[np.uint8]) -> str:
    """Return a drawing ``(H, W, 3)`` uint8 RGB as PNG in a data URI."""
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(frame).save(content, "PNG")
    return data_uri("image/png", content.getvalue())


def data_uri(kind: str, content: bytes) -> str:
    """Return a picture as text that an ``img`` can show without a file.

    Examples
    --------
    >>> data_uri("image/png", b"abc")
    'data:image/png;base64,YWJj'
    """
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
