"""Two models side by side on a picture: photo, truth, both answers, difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edgeseg.converter.reporting.figures import jpeg_uri, png_uri
from edgeseg.runtime.drawing.overlay import colour_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgeseg.runtime import Manifest

_WIDTH = 320  # pixels: five in a row on a desktop, two on a phone
_VOID = 255
_VOID_COLOUR = (215, 215, 215)
# Red against blue, which the colour-blind distinguish
_LOST, _WON, _OTHER = (214, 39, 40), (31, 119, 214), (240, 180, 40)


class Panel(NamedTuple):
    """A picture and the class ids given to it.

    Parameters
    ----------
    name : str
        Of the picture.
    photo : ndarray
        ``(H, W, 3)`` uint8 RGB.
    truth : ndarray or None
        ``(H, W)`` uint8 ids of the model's classes, 255 for void; None where unknown.
    reference, result : ndarray
        ``(H, W)`` uint8 class ids.
    """

    name: str
    photo: NDArray[np.uint8]
    truth: NDArray[np.uint8] | None
    reference: NDArray[np.uint8]
    result: NDArray[np.uint8]


@dataclass(frozen=True)
class PanelRow:
    """A panel as the page shows it: pictures as data URIs, None without truth."""

    name: str
    photo: str
    truth: str | None
    reference: str
    result: str
    difference: str


def draw_row(panel: Panel, palette: Sequence[tuple[int, int, int]]) -> PanelRow:
    """Draw a panel at a modest width.

    Parameters
    ----------
    panel : Panel
        Arrays of one height and width.
    palette : sequence of (int, int, int)
        RGB colours of the class ids.
    """
    table = colour_table(palette)
    table[_VOID] = _VOID_COLOUR
    small = shrink(panel)
    return PanelRow(
        name=panel.name,
        photo=jpeg_uri(small.photo),
        truth=None if small.truth is None else png_uri(table[small.truth]),
        reference=png_uri(table[small.reference]),
        result=png_uri(table[small.result]),
        difference=png_uri(draw_difference(small)),
    )


def shrink(panel: Panel) -> Panel:
    """Return a panel at most 320 pixels wide; class ids are picked, never mixed."""
    import cv2

    height, width = panel.photo.shape[:2]
    if width <= _WIDTH:
        return panel
    size = (_WIDTH, max(1, round(height * _WIDTH / width)))
    nearest = cv2.INTER_NEAREST
    return Panel(
        name=panel.name,
        photo=cv2.resize(panel.photo, size, interpolation=cv2.INTER_AREA),
        truth=None
        if panel.truth is None
        else cv2.resize(panel.truth, size, interpolation=nearest),
        reference=cv2.resize(panel.reference, size, interpolation=nearest),
        result=cv2.resize(panel.result, size, interpolation=nearest),
    )


def draw_difference(panel: Panel) -> NDArray[np.uint8]:
    """Return where the two answers differ, on the photo in pale grey.

    Red where the reference is right, blue where the result is, yellow where both are
    wrong or the truth is void or unknown.

    Parameters
    ----------
    panel : Panel
        Arrays of one height and width.

    Returns
    -------
    ndarray
        ``(H, W, 3)`` uint8 RGB.
    """
    grey = 160 + panel.photo.mean(axis=2) * (95 / 255)
    drawn = np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)
    differs = panel.reference != panel.result
    drawn[differs] = _OTHER
    if panel.truth is not None:
        drawn[differs & (panel.reference == panel.truth)] = _LOST
        drawn[differs & (panel.result == panel.truth)] = _WON
    return drawn


def swatches(panels: Sequence[Panel], manifest: Manifest) -> list[dict[str, str]]:
    """Return name and CSS colour of every class that occurs, in order of id.

    Parameters
    ----------
    panels : sequence of Panel
        What is shown.
    manifest : Manifest
        Names and colours.
    """
    maps = [m for p in panels for m in (p.truth, p.reference, p.result)]
    found = {int(i) for m in maps if m is not None for i in np.unique(m)} - {_VOID}
    table = colour_table(manifest.palette)
    return [
        {"name": manifest.label(i), "colour": _css(table[i])} for i in sorted(found)
    ]


def difference_swatches() -> list[dict[str, str]]:
    """Return meaning and CSS colour of `draw_difference` and of void."""
    meaning = {
        "only float is right": _LOST,
        "only the result is right": _WON,
        "they differ: neither is right, or void": _OTHER,
        "void (no truth)": _VOID_COLOUR,
    }
    return [{"name": name, "colour": _css(rgb)} for name, rgb in meaning.items()]


def _css(rgb: Sequence[int] | NDArray[np.uint8]) -> str:
    return "#" + "".join(f"{int(value):02x}" for value in rgb)
